"""What Snowplow's trackers send, by their own code, ends as rows; and it does so once, whatever they are answered."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest
from aiohttp import web

from tests.e2e.harness.daemon import Daemon
from tests.e2e.sdks.harness.drivers import Driver, plan
from tests.e2e.sdks.harness.proxy import FAULTS, Fault, proxying
from tests.e2e.sdks.harness.rows import Rows, counts_of, tables_of, until_tables
from tests.e2e.sdks.harness.stage import Stage
from tests.e2e.sdks.harness.story import ORDER, STORY
from tests.e2e.sdks.harness.versions import version

EXPERIMENT = {"schema": "iglu:shop.example/experiment/jsonschema/2-0-0", "data": STORY["context"]["experiment"]}
SCHEMA = "iglu:shop.example/order_placed/jsonschema/1-0-0"
SAID = {
    "order": {"schema": SCHEMA, "data": ORDER},
    "contexts": [EXPERIMENT],
    "scroll": {"minXOffset": 1, "maxXOffset": 10, "minYOffset": 5, "maxYOffset": 240},
}
BROWSER, NODE, PYTHON = "browser/snowplow-browser-tracker.js", "node/snowplow-node-tracker.mjs", "python/snowplow.py"
VERSIONS = {
    BROWSER: f"js-{version('@snowplow/browser-tracker')}",
    NODE: f"node-{version('@snowplow/node-tracker')}",
    PYTHON: f"py-{version('snowplow-tracker')}",
}
REFUSED = Fault("refused", 400)


def tracker(name: str, file: str, method: str, **config: object) -> Driver:
    return Driver(name, file, {**SAID, "tracker": {"eventMethod": method, **config}})


TRACKERS = [
    tracker("snowplow_js", BROWSER, "post"),
    tracker("snowplow_js_get", BROWSER, "get"),
    tracker("snowplow_js_path", BROWSER, "post", postPath="/com.my-shop/v1"),
    tracker("snowplow_node", NODE, "post"),
    tracker("snowplow_node_get", NODE, "get"),
    tracker("snowplow_python", PYTHON, "post"),
    tracker("snowplow_python_get", PYTHON, "get"),
]
BY_POST = [each for each in TRACKERS if each.name in {"snowplow_js", "snowplow_node", "snowplow_python"}]
STUBBORN = [each for each in TRACKERS if each.name != "snowplow_js_path"]
ANONYMOUS = tracker("snowplow_js_anonymous", BROWSER, "post", anonymousTracking={"withServerAnonymisation": True})
PINGING = replace(TRACKERS[0], name="snowplow_js_pings", options={**TRACKERS[0].options, "pings": True})


def under(driver: Driver, fault: Fault) -> Driver:
    """The same as a source of its own, so that its rows are told apart."""
    return replace(driver, name=f"{driver.name}_{fault.name}")


PLAN = plan(
    [*TRACKERS, ANONYMOUS, PINGING]
    + [under(each, fault) for each in STUBBORN for fault in FAULTS]
    + [under(each, REFUSED) for each in BY_POST]
)
pytestmark = pytest.mark.asyncio(loop_scope="module")


def rows_of_a_visit(driver: Driver) -> dict[str, int]:
    """How many rows each table gets. Browsers send pings when they are told to, and transactions no longer."""
    if driver.runs_in_a_browser:
        return {"tracks": 2, "pages": 1, "product_viewed": 1, "order_placed": 1}
    tables = ("pages", "product_viewed", "page_ping", "order_placed", "order_completed", "product_purchased")
    return {"tracks": 5, **dict.fromkeys(tables, 1)}


def has_events(request: web.Request) -> bool:
    return request.method == "POST" or request.path == "/i"


@pytest.mark.parametrize("driver", TRACKERS, ids=lambda driver: driver.name)
async def test_a_visit_is_rows(daemon: Daemon, stage: Stage, driver: Driver):
    counts = rows_of_a_visit(driver)
    async with stage.driving(driver, daemon.url):
        await until_tables(daemon, driver, counts)
    await daemon.settled("warehouse")
    rows = await tables_of(daemon, driver, counts)

    assert {table: len(each) for table, each in rows.items()} == counts, "each event came exactly once"
    assert len({row["id"] for row in [*rows["tracks"], *rows["pages"]]}) == counts["tracks"] + counts["pages"]
    each_event_says_who(driver, rows)
    each_event_says_when(driver, rows)
    each_event_has_its_properties(driver, rows)
    the_context_is_the_clients(driver, rows)


def each_event_says_who(driver: Driver, rows: Mapping[str, Rows]) -> None:
    (seen,), (order,) = rows["product_viewed"], rows["order_placed"]
    assert (seen["user_id"], order["user_id"]) == (None, driver.user_id)
    (visitor,) = {row["anonymous_id"] for each in rows.values() for row in each}
    assert visitor == driver.anonymous_id or (driver.runs_in_a_browser and len(visitor) == len(order["id"]))


def each_event_says_when(driver: Driver, rows: Mapping[str, Rows]) -> None:
    (seen,), (order,) = rows["product_viewed"], rows["order_placed"]
    given = datetime.fromisoformat(STORY["timestamp"])
    assert when(order, "timestamp") == given
    # A true time stands beside the call's own time in Python, and in its place in JavaScript.
    assert (when(order, "original_timestamp") == given) == (driver.file != PYTHON)
    # One clock for all needs no correction.
    assert when(seen, "original_timestamp") == when(seen, "timestamp")
    assert when(seen, "sent_at") <= when(seen, "received_at")
    # Python tells when it sent in whole seconds.
    assert (when(seen, "sent_at").microsecond == 0) >= (driver.file == PYTHON)


def each_event_has_its_properties(driver: Driver, rows: Mapping[str, Rows]) -> None:
    (seen,), (order,), (page,) = rows["product_viewed"], rows["order_placed"], rows["pages"]
    assert [seen[name] for name in ("category", "label", "property", "value")] == ["Shop", "p-1", "price", 9.98]
    assert seen["event_text"] == "Product Viewed"
    (track,) = [row for row in rows["tracks"] if row["id"] == order["id"]]
    assert (track["event_text"], orjson.loads(track["properties"])) == ("order_placed", ORDER)
    assert page["name"] == page["title"] == "Lanterns"
    if driver.runs_in_a_browser:
        return
    (ping,), (paid,), (item,) = rows["page_ping"], rows["order_completed"], rows["product_purchased"]
    assert [ping[f"{axis}offset_{end}"] for axis in "xy" for end in ("min", "max")] == [1, 10, 5, 240]
    assert [paid[name] for name in ("order_id", "total", "currency")] == ["order-1", 59.9, "EUR"]
    bought = [item[name] for name in ("order_id", "sku", "name", "price", "quantity", "currency")]
    assert bought == ["order-1", "SKU-1", "Boat lantern", 9.98, 5, "EUR"]


def the_context_is_the_clients(driver: Driver, rows: Mapping[str, Rows]) -> None:
    for row in (row for each in rows.values() for row in each):
        assert (row["context_library_name"], row["context_library_version"]) == ("snowplow", VERSIONS[driver.file])
        assert (row["context_snowplow_aid"], row["context_snowplow_tna"]) == (driver.write_key, "sp")
    (order,), (page,) = rows["order_placed"], rows["pages"]
    assert order["context_snowplow_schema"] == SCHEMA
    assert EXPERIMENT in orjson.loads(order["context_snowplow_contexts"])
    assert page["context_campaign_source"] == "news"
    if not driver.runs_in_a_browser:
        assert (order["context_ip"], order["context_user_agent"]) == ("203.0.113.7", "The visitor's browser")
        assert page["url"] == page["context_page_url"] == "https://shop.example/boats?utm_source=news"
        return
    assert page["path"] == page["context_page_path"] == f"/shop/{driver.file}"
    assert (order["context_page_id"], order["context_session_id"]) == (
        page["context_page_id"],
        page["context_session_id"],
    )
    assert len({len(page[name]) for name in ("id", "context_page_id", "context_session_id")}) == 1
    assert (order["context_ip"], order["context_locale"], order["context_session_index"]) == ("127.0.0.1", "en-US", 1)
    assert "HeadlessChrome" in order["context_user_agent"]
    assert order["context_screen_width"] > 0


async def test_a_visitor_who_stays_is_seen_by_pings(daemon: Daemon, stage: Stage):
    async with stage.page(PINGING, daemon.url):
        await until_tables(daemon, PINGING, {"page_ping": 1})
    await daemon.settled("warehouse")
    rows = await tables_of(daemon, PINGING, ["page_ping", "pages"])

    (page,) = rows["pages"]
    assert {row["context_page_id"] for row in rows["page_ping"]} == {page["context_page_id"]}
    assert {row["event_text"] for row in rows["page_ping"]} == {"Page Ping"}


async def test_who_is_tracked_anonymously_leaves_no_id_and_no_address(daemon: Daemon, stage: Stage):
    async with stage.page(ANONYMOUS, daemon.url):
        await until_tables(daemon, ANONYMOUS, {"tracks": 2, "pages": 1})
    await daemon.settled("warehouse")
    rows = await tables_of(daemon, ANONYMOUS, ["tracks", "pages"])

    for row in [*rows["tracks"], *rows["pages"]]:
        assert (row["user_id"], row["context_ip"], row["context_session_id"]) == (None, None, None)
        assert row["anonymous_id"] == row["context_page_id"]


@pytest.mark.parametrize("driver", STUBBORN, ids=lambda driver: driver.name)
async def test_what_was_refused_for_now_comes_again_and_is_one_row(daemon: Daemon, stage: Stage, driver: Driver):
    async with asyncio.TaskGroup() as group:
        for fault in FAULTS:
            group.create_task(comes_once(daemon, stage, under(driver, fault), fault))


async def comes_once(daemon: Daemon, stage: Stage, driver: Driver, fault: Fault) -> None:
    counts = rows_of_a_visit(driver)
    async with proxying(daemon.url, fault, is_of_events=has_events) as proxy:
        if driver.runs_in_a_browser:
            counts["tracks"] += 1
            async with stage.page(driver, proxy.url) as page:
                await page.evaluate("driver.more(1)")
                await until_tables(daemon, driver, counts)
        else:
            await stage.run(driver, proxy.url)
    await daemon.settled("warehouse")

    assert len(proxy.refused) == fault.times
    assert await counts_of(daemon, driver, counts) == counts
    # What had been stored before its answer was lost was recognised by its id.
    repeats = await daemon.metric("headwater_events_duplicate_total", source=driver.name)
    assert (repeats > 0) == fault.is_stored


@pytest.mark.parametrize("driver", BY_POST, ids=lambda driver: driver.name)
async def test_what_was_refused_for_good_is_not_sent_again(daemon: Daemon, stage: Stage, driver: Driver):
    driver = under(driver, REFUSED)
    counts = {"tracks": 3} if driver.runs_in_a_browser else rows_of_a_visit(driver)
    async with (
        proxying(daemon.url, REFUSED, is_of_events=has_events) as proxy,
        stage.driving(driver, proxy.url) as context,
    ):
        if context is not None:
            await context.pages[0].evaluate("driver.more(3)")
        else:
            await stage.run(driver, proxy.url)
        await until_tables(daemon, driver, counts)
    await daemon.settled("warehouse")

    assert proxy.refused == ["/com.snowplowanalytics.snowplow/tp2"]
    assert await counts_of(daemon, driver, counts) == counts, "what came is the second visit alone"


def when(row: Mapping[str, Any], column: str) -> datetime:
    return datetime.fromisoformat(row[column])
