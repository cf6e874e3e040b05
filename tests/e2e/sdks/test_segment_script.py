"""Segment's own script, placed by the operator and served by the gateway, under Segment's snippet and in a plugin."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.harness.daemon import Daemon
from tests.e2e.sdks.harness.drivers import DRIVERS, Driver, plan
from tests.e2e.sdks.harness.proxy import proxying
from tests.e2e.sdks.harness.rows import Rows, counts_of, rows_of, until_tables
from tests.e2e.sdks.harness.stage import Stage
from tests.e2e.sdks.harness.story import ORDER, STORY
from tests.e2e.sdks.harness.tls import server_context
from tests.e2e.sdks.harness.versions import version

HARNESS = Path(__file__).parent / "harness"
STANDALONE = DRIVERS.parent / "node_modules/@segment/analytics-next/dist/umd/standalone.js"
PLUGIN = Driver("analytics_with_segment", "browser/analytics-with-segment.js")
SNIPPET = Driver("snippet", "browser/none.js")
PLAN = plan(
    [PLUGIN, SNIPPET],
    server='trusted_proxies = ["127.0.0.1"]\n',
    more=f'[script]\nsegment_script = "{STANDALONE}"\n',
)
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_stock_snippet_loads_it_and_all_its_parts(daemon: Daemon, stage: Stage, tmp_path: Path):
    async with proxying(daemon.url, tls=server_context(tmp_path)) as https:
        host = https.url.removeprefix("https://")
        stage.site.heads["snippet"] = f"<script>{await snippet(host)}</script>"
        async with stage.visiting(f"{stage.site.url}/pages/snippet?utm_source=news") as page:
            await page.evaluate("traits => analytics.identify('user-of-snippet', traits)", STORY["traits"])
            await page.evaluate("order => analytics.track(order.event, order.properties)", STORY["order"])
            await page.evaluate("analytics.trackLink(document.querySelector('#next'), 'Next Clicked')")
            await page.wait_for_function("analytics.initialized")
            await page.click("#next")
            await page.wait_for_url("**/next")
            await until_tables(daemon, SNIPPET, {"pages": 1, "identifies": 1, "order_completed": 1, "next_clicked": 1})
    await daemon.settled("warehouse")

    (view,) = await rows_of(daemon, "pages", SNIPPET)
    assert (view["category"], view["name"], view["collection"]) == ("Shop", "Lanterns", "boats")
    assert view["context_campaign_source"] == "news"
    (order,) = await rows_of(daemon, "order_completed", SNIPPET)
    assert (order["user_id"], order["order_id"], order["total"]) == ("user-of-snippet", "order-1", 59.9)
    come_from_the_script([view, order])
    assert await counts_of(daemon, SNIPPET, ["tracks", "next_clicked"]) == {"tracks": 2, "next_clicked": 1}


async def test_the_analytics_library_with_its_segment_plugin(daemon: Daemon, stage: Stage):
    counts = {"tracks": 3, "pages": 1, "identifies": 1, "groups": 1, "order_completed": 1}
    async with stage.driving(PLUGIN, daemon.url):
        await until_tables(daemon, PLUGIN, counts)
    await daemon.settled("warehouse")

    assert await counts_of(daemon, PLUGIN, counts) == counts
    seen, order, left = await rows_of(daemon, "tracks", PLUGIN)
    assert [row["event_text"] for row in (seen, order, left)] == ["Product Viewed", "Order Completed", "Signed Out"]
    assert [row["user_id"] for row in (seen, order, left)] == [None, PLUGIN.user_id, None]
    (view,) = await rows_of(daemon, "pages", PLUGIN)
    assert (view["collection"], view["title"]) == ("boats", "Lantern Shop")
    (identify,) = await rows_of(daemon, "identifies", PLUGIN)
    assert {name: identify[name] for name in STORY["traits"]} == STORY["traits"]
    (group,) = await rows_of(daemon, "groups", PLUGIN)
    assert (group["group_id"], group["employees"]) == ("company-1", 12)
    (bought,) = await rows_of(daemon, "order_completed", PLUGIN)
    assert bought["currency"] == ORDER["currency"]
    come_from_the_script([seen, order, left, view, identify, group])


def come_from_the_script(rows: Rows) -> None:
    told = {(row["context_library_name"], row["context_library_version"]) for row in rows}
    assert told == {("analytics.js", f"next-{version('@segment/analytics-next')}")}


async def snippet(host: str) -> str:
    """Segment's snippet, whose only other host than Segment's is `host`."""
    process = await asyncio.create_subprocess_exec(
        "node", HARNESS / "snippet.cjs", host, SNIPPET.write_key, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()
