"""A visitor leaves the page: what waits is sent, and what was on its way is one row, however often it comes."""

import pytest

from tests.e2e.harness.daemon import Daemon
from tests.e2e.harness.waiting import until
from tests.e2e.sdks.harness.drivers import plan
from tests.e2e.sdks.harness.family import Sdk, rudder_js, segment_js
from tests.e2e.sdks.harness.proxy import SILENT, proxying
from tests.e2e.sdks.harness.rows import counts_of, until_tables
from tests.e2e.sdks.harness.stage import Stage

ONE_MINUTE_MS = 60_000
BATCHING = {"strategy": "batching", "config": {"size": 100, "timeout": ONE_MINUTE_MS}}
PATIENT = [
    segment_js("analytics_next_batching", {"integrations": {"Segment.io": {"deliveryStrategy": BATCHING}}}),
    rudder_js("rudder_js_beacon", {"useBeacon": True}),
]
"""They wait for longer than this test, unless the page is left."""
SEGMENT, RUDDER = segment_js("analytics_next"), rudder_js("rudder_js")
PLAN = plan(sdk.driver for sdk in (*PATIENT, SEGMENT, RUDDER))
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("sdk", PATIENT, ids=lambda sdk: sdk.driver.name)
async def test_what_waits_is_sent_when_the_page_is_left(daemon: Daemon, stage: Stage, sdk: Sdk):
    counts = {**sdk.rows_of_a_visit, "tracks": 4, "came_back": 1}
    async with stage.page(sdk.driver, daemon.url) as page:
        await page.evaluate("driver.more().then(() => true)")
        await page.goto(f"{stage.site.url}/next")
        await until_tables(daemon, sdk.driver, counts)
    await daemon.settled("warehouse")
    assert await counts_of(daemon, sdk.driver, counts) == counts


async def test_what_was_on_its_way_comes_again_with_the_next_page_and_is_one_row(daemon: Daemon, stage: Stage):
    await leave_and_come_back(daemon, stage, SEGMENT)


@pytest.mark.soak
async def test_after_ten_seconds_another_page_takes_over_what_rudder_js_had_on_its_way(daemon: Daemon, stage: Stage):
    await leave_and_come_back(daemon, stage, RUDDER)


async def leave_and_come_back(daemon: Daemon, stage: Stage, sdk: Sdk) -> None:
    async def came_again() -> bool:
        return await daemon.metric("headwater_events_duplicate_total", source=sdk.driver.name) > 0

    async with proxying(daemon.url, SILENT) as proxy, stage.page(sdk.driver, proxy.url) as page:
        await until(lambda: proxy.left == 0, "the first event is on its way")
        await page.goto(stage.site.address(sdk.driver.file))
        await page.evaluate("job => driver.load(job)", sdk.driver.job(proxy.url))
        await until_tables(daemon, sdk.driver, sdk.rows_of_a_visit)
        await until(came_again, "the first event comes again")
    await daemon.settled("warehouse")
    assert await counts_of(daemon, sdk.driver, sdk.rows_of_a_visit) == sdk.rows_of_a_visit
