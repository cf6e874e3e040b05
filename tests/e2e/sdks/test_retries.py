"""Whatever goes wrong on the way, each event of an SDK that sends again is one row; what an SDK gives up is lost."""

import asyncio
from dataclasses import replace

import pytest

from tests.e2e.harness.daemon import Daemon
from tests.e2e.harness.waiting import until
from tests.e2e.sdks.harness.drivers import Driver, plan
from tests.e2e.sdks.harness.family import SDKS, Sdk
from tests.e2e.sdks.harness.proxy import FAULTS, UNANSWERED, Fault, proxying
from tests.e2e.sdks.harness.rows import counts_of, rows_of, until_tables
from tests.e2e.sdks.harness.stage import Stage

BY_NAME = {sdk.driver.name: sdk for sdk in SDKS}
SAME_AS_ANOTHER = {"segment_python_gzip", "rudder_node_plain", "rudder_python_plain"}
STUBBORN = [
    sdk for name, sdk in BY_NAME.items() if name not in {*SAME_AS_ANOTHER, "rudder_js_beacon", "analytics_next_1_70"}
]
DOWN = Fault("down", 500, times=2 * 4)
"""For as long as servers' SDKs with three retries try: the first event leaves alone, then the others together."""


def under(sdk: Sdk, fault: Fault) -> Driver:
    """Its driver as a source of its own, so that its rows are told apart; it waits no longer than it must."""
    options = dict(sdk.driver.options)
    if sdk.in_browser and sdk.by_rudderstack:
        options["queueOptions"] = {**options.get("queueOptions", {}), "minRetryDelay": 100}
    return replace(sdk.driver, name=f"{sdk.driver.name}_{fault.name}", options=options)


DEAF = BY_NAME["analytics_next_1_70"]
"""It takes any answer for a good one, and tries again only where there is none."""
GIVING_UP = [BY_NAME["analytics_node"], BY_NAME["rudder_node"]]
BEACON = BY_NAME["rudder_js_beacon"]
LOSING = [(sdk, fault) for sdk in (DEAF, BEACON) for fault in FAULTS if fault.status]

PLAN = plan(
    [under(sdk, fault) for sdk in STUBBORN for fault in FAULTS]
    + [under(sdk, DOWN) for sdk in GIVING_UP]
    + [under(sdk, fault) for sdk, fault in [*LOSING, (DEAF, UNANSWERED)]]
)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("sdk", STUBBORN, ids=lambda sdk: sdk.driver.name)
async def test_what_was_refused_comes_again_and_is_one_row(daemon: Daemon, stage: Stage, sdk: Sdk):
    # All faults at once, since the SDK mostly waits.
    async with asyncio.TaskGroup() as group:
        for fault in FAULTS:
            group.create_task(comes_once(daemon, stage, sdk, fault))


async def comes_once(daemon: Daemon, stage: Stage, sdk: Sdk, fault: Fault) -> None:
    driver = under(sdk, fault)

    async def repeats() -> float:
        return await daemon.metric("headwater_events_duplicate_total", source=driver.name)

    async def came_again() -> bool:
        return await repeats() > 0

    async with proxying(daemon.url, fault) as proxy, stage.driving(driver, proxy.url):
        await until_tables(daemon, driver, sdk.rows_of_a_visit)
        if fault.is_stored:
            await until(came_again, f"{driver.name} sends what is there already")
    await daemon.settled("warehouse")
    assert len(proxy.refused) == fault.times
    assert await counts_of(daemon, driver, sdk.rows_of_a_visit) == sdk.rows_of_a_visit
    assert fault.is_stored or await repeats() == 0


@pytest.mark.parametrize("sdk", GIVING_UP, ids=lambda sdk: sdk.driver.name)
async def test_after_three_retries_an_older_sdk_gives_up(daemon: Daemon, stage: Stage, sdk: Sdk):
    driver = under(sdk, DOWN)
    async with proxying(daemon.url, DOWN) as proxy, stage.driving(driver, proxy.url):
        assert proxy.left == 0, "the process has ended, so nothing more comes"
    assert await daemon.metric("headwater_events_accepted_total", source=driver.name) == 0


async def test_an_old_analytics_next_sends_again_what_had_no_answer(daemon: Daemon, stage: Stage):
    await comes_once(daemon, stage, DEAF, UNANSWERED)


@pytest.mark.parametrize(
    ("sdk", "fault"), LOSING, ids=lambda each: each.driver.name if isinstance(each, Sdk) else each.name
)
async def test_a_refused_beacon_and_what_an_old_analytics_next_had_refused_are_lost(
    daemon: Daemon, stage: Stage, sdk: Sdk, fault: Fault
):
    driver = under(sdk, fault)
    async with proxying(daemon.url, fault) as proxy, stage.page(driver, proxy.url) as page:
        await until(lambda: len(proxy.refused) == 1, "the first request was refused")
        await page.evaluate("driver.more()")
        await until_tables(daemon, driver, {"came_back": 1})
    await daemon.settled("warehouse")
    told = [row["event_text"] for row in await rows_of(daemon, "tracks", driver)]
    assert told == (["Came Back"] if sdk is BEACON else ["Order Completed", "Signed Out", "Came Back"])
