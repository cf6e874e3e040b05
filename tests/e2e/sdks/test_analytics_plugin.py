"""The library `analytics` with the gateway's own plugin: through the browser script, before it, and without it."""

import pytest

from tests.e2e.harness.daemon import Daemon
from tests.e2e.sdks.harness.drivers import Driver, plan
from tests.e2e.sdks.harness.rows import rows_of, until_tables
from tests.e2e.sdks.harness.stage import Stage
from tests.e2e.sdks.harness.story import STORY

FILE = "browser/analytics-with-headwater.js"
ALONE = Driver("plugin_alone", FILE)
WITH_SCRIPT = Driver("plugin_with_script", FILE, {"script": "/js/plugin_with_script/headwater.js"})
BEFORE_SCRIPT = Driver("plugin_before_script", FILE, {"later": "/js/plugin_before_script/headwater.js", "waits": True})
LIBRARIES = {ALONE: "analytics-plugin-headwater", WITH_SCRIPT: "headwater.js", BEFORE_SCRIPT: "headwater.js"}
PLAN = plan(LIBRARIES)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("driver", "library"), LIBRARIES.items(), ids=lambda each: getattr(each, "name", ""))
async def test_its_calls_are_rows(daemon: Daemon, stage: Stage, driver: Driver, library: str):
    counts = {"tracks": 3, "pages": 1, "identifies": 1, "groups": 1, "order_completed": 1}
    async with stage.driving(driver, daemon.url):
        await until_tables(daemon, driver, counts)
    await daemon.settled("warehouse")

    # The script also tells of the page what it saw itself.
    tracks = [row for row in await rows_of(daemon, "tracks", driver) if row["event_text"] != "Page Engagement"]
    assert [row["event_text"] for row in tracks] == ["Product Viewed", "Order Completed", "Signed Out"]
    seen, order, left = tracks
    assert [row["user_id"] for row in tracks] == [None, driver.user_id, None]
    assert seen["anonymous_id"] == order["anonymous_id"] != left["anonymous_id"]
    (view,) = [row for row in await rows_of(daemon, "pages", driver) if row["name"] == "Lanterns"]
    assert (view["category"], view["collection"], view["title"]) == ("Shop", "boats", "Lantern Shop")
    (identify,) = await rows_of(daemon, "identifies", driver)
    assert {name: identify[name] for name in STORY["traits"]} == STORY["traits"]
    (group,) = await rows_of(daemon, "groups", driver)
    assert (group["group_id"], group["employees"]) == ("company-1", 12)
    (bought,) = await rows_of(daemon, "order_completed", driver)
    assert (bought["id"], bought["total"], bought["currency"]) == (order["id"], 59.9, "EUR")
    for row in (*tracks, view, identify, group):
        assert row["context_library_name"] == library
        assert row["context_page_title"] == "Lantern Shop"
