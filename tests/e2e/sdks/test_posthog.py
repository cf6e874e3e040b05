"""What PostHog's SDKs send, by their own code, ends as rows; and it does so once, whatever happens on the way."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import orjson
import pytest
from aiohttp import web

from tests.e2e.harness.daemon import Daemon
from tests.e2e.harness.waiting import until
from tests.e2e.sdks.harness.drivers import Driver, plan
from tests.e2e.sdks.harness.proxy import BROKEN, FAULTS, NONE, RATE_LIMITED, Fault, proxying
from tests.e2e.sdks.harness.rows import Rows, counts_of, tables_of, until_tables
from tests.e2e.sdks.harness.stage import Stage
from tests.e2e.sdks.harness.story import ORDER, STORY
from tests.e2e.sdks.harness.versions import version

JS, OLD_JS = "browser/posthog-js.js", "browser/posthog-js-1.100.js"
NODE, PYTHON = "node/posthog-node.mjs", "python/posthog_client.py"
LIBRARIES = {
    JS: ("web", version("posthog-js")),
    OLD_JS: ("web", version("posthog-js-1.100")),
    NODE: ("posthog-node", version("posthog-node")),
    PYTHON: ("posthog-python", version("posthog")),
}
DRIVERS = [
    Driver("posthog_js", JS),
    Driver("posthog_js_plain", JS, {"disable_compression": True}),
    Driver("posthog_js_1_100", OLD_JS),
    Driver("posthog_node", NODE),
    Driver("posthog_node_plain", NODE, {"disableCompression": True}),
    Driver("posthog_python", PYTHON),
    Driver("posthog_python_gzip", PYTHON, {"gzip": True}),
]
BROWSERS = [driver for driver in DRIVERS if driver.runs_in_a_browser]
LOSING = [*((driver, RATE_LIMITED) for driver in BROWSERS), (DRIVERS[2], BROKEN)]
STUBBORN = [driver for driver in DRIVERS if driver.name not in {"posthog_node_plain", "posthog_python_gzip"}]


def under(driver: Driver, name: str) -> Driver:
    """The same as a source of its own, so that its rows are told apart."""
    return replace(driver, name=f"{driver.name}_{name}")


ASKING = under(DRIVERS[0], "asking")
LEAVING = Driver("posthog_js_leaving", JS, {"capture_pageleave": True})
RATED = [under(driver, "rated") for driver in BROWSERS]
ONE_AT_A_TIME = "rate = { per_second = 0.5, burst = 1 }\n"

PLAN = plan(
    [*DRIVERS, ASKING, LEAVING, *(under(each, fault.name) for each in STUBBORN for fault in FAULTS)],
    more="".join(driver.source + ONE_AT_A_TIME for driver in RATED),
)
pytestmark = pytest.mark.asyncio(loop_scope="module")


def rows_of_a_visit(driver: Driver) -> dict[str, int]:
    tables = ("pages", "screens", "identifies", "groups", "aliases", "order_completed", "product_viewed")
    return {"tracks": 3 if driver.runs_in_a_browser else 2, **dict.fromkeys(tables, 1)}


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
async def test_a_visit_is_rows(daemon: Daemon, stage: Stage, driver: Driver):
    counts = rows_of_a_visit(driver)
    async with stage.driving(driver, daemon.url):
        await until_tables(daemon, driver, counts)
    await daemon.settled("warehouse")
    rows = await tables_of(daemon, driver, counts)

    assert {table: len(each) for table, each in rows.items()} == counts, "each event came exactly once"
    each_event_says_who(driver, rows)
    each_event_says_when(driver, rows)
    the_order_has_its_columns(rows)
    the_person_and_the_group_are_known(rows)
    views_have_their_names(driver, rows)
    the_context_is_the_clients(driver, rows)


def each_event_says_who(driver: Driver, rows: Mapping[str, Rows]) -> None:
    user, visitor = driver.user_id, driver.anonymous_id
    device = visitor if driver.runs_in_a_browser else None
    assert who(rows["product_viewed"]) == who(rows["pages"]) == [(None, visitor)]
    for table in ("identifies", "order_completed", "groups", "screens"):
        assert who(rows[table]) == [(user, device)]
    assert [(row["user_id"], row["previous_id"]) for row in rows["aliases"]] == [(user, visitor)]
    if driver.runs_in_a_browser:
        (after,) = [row for row in rows["tracks"] if row["event_text"] == "Signed Out"]
        assert after["user_id"] is None
        assert after["anonymous_id"] not in {visitor, None}


def each_event_says_when(driver: Driver, rows: Mapping[str, Rows]) -> None:
    (order,), (seen,) = rows["order_completed"], rows["product_viewed"]
    given = datetime.fromisoformat(STORY["timestamp"])
    # The old posthog-js says how long ago it was.
    tolerance = timedelta(seconds=60) if driver.file == OLD_JS else timedelta(0)
    assert abs(when(order, "timestamp") - given) <= tolerance
    assert when(seen, "timestamp") == when(seen, "original_timestamp") <= when(seen, "received_at")
    assert when(seen, "sent_at") <= when(seen, "received_at")


def the_order_has_its_columns(rows: Mapping[str, Rows]) -> None:
    (order,) = rows["order_completed"]
    (track,) = [row for row in rows["tracks"] if row["id"] == order["id"]]
    assert order["event_text"] == track["event_text"] == "Order Completed"
    assert ORDER.items() <= orjson.loads(track["properties"]).items()
    assert "token" not in orjson.loads(track["properties"])
    flat = {name: order[name] for name in ("order_id", "total", "revenue", "currency")}
    assert flat == {"order_id": "order-1", "total": 59.9, "revenue": 49.9, "currency": "EUR"}


def the_person_and_the_group_are_known(rows: Mapping[str, Rows]) -> None:
    (identify,), (group,) = rows["identifies"], rows["groups"]
    assert {name: identify[name] for name in STORY["traits"]} == STORY["traits"]
    assert (group["group_id"], group["context_group_type"]) == ("company-1", "company")
    assert {name: group[name] for name in STORY["group"]["traits"]} == STORY["group"]["traits"]


def views_have_their_names(driver: Driver, rows: Mapping[str, Rows]) -> None:
    (page,), (screen,) = rows["pages"], rows["screens"]
    assert (page["category"], page["name"], page["collection"]) == ("Shop", "Lanterns", "boats")
    assert (screen["name"], screen["items"]) == ("Basket", 2)
    assert page["url"] == page["context_page_url"] == page["current_url"]
    if driver.runs_in_a_browser:
        assert page["title"] == page["context_page_title"] == "Lantern Shop"
        assert page["path"] == page["context_page_path"] == f"/shop/{driver.file}"
    else:
        assert (page["url"], page["path"]) == ("https://shop.example/boats", "/boats")


def the_context_is_the_clients(driver: Driver, rows: Mapping[str, Rows]) -> None:
    for row in (row for each in rows.values() for row in each):
        assert (row["context_library_name"], row["context_library_version"]) == LIBRARIES[driver.file]
    (order,), (seen,) = rows["order_completed"], rows["product_viewed"]
    if driver.runs_in_a_browser:
        campaign = [order[f"context_campaign_{name}"] for name in ("source", "medium", "name")]
        assert campaign == ["news", "email", "spring"]
        assert "HeadlessChrome" in order["context_user_agent"]
        assert (order["context_ip"], order["context_locale"]) == ("127.0.0.1", "en-US")
        assert order["context_session_id"]
    else:
        assert (order["context_ip"], order["context_user_agent"]) == ("203.0.113.7", "The visitor's browser")
        assert seen["context_ip"] == "127.0.0.1"


def who(rows: Rows) -> list[tuple[str | None, str | None]]:
    return [(row["user_id"], row["anonymous_id"]) for row in rows]


def when(row: Mapping[str, str], column: str) -> datetime:
    return datetime.fromisoformat(row[column])


async def test_what_posthog_js_asks_for_is_answered(daemon: Daemon, stage: Stage):
    """It is told of compression, so that no page costs a preflight; and of flags, so that it stops asking."""
    seen: list[tuple[str, str, str]] = []

    def is_noted(request: web.Request) -> bool:
        seen.append((request.method, request.path, request.headers.get("Content-Type", "")))
        return False

    async with (
        proxying(daemon.url, replace(NONE, times=1), is_of_events=is_noted) as proxy,
        stage.page(ASKING, proxy.url),
    ):
        await until_tables(daemon, ASKING, rows_of_a_visit(ASKING))

    assert ("GET", f"/array/{ASKING.write_key}/config", "") in seen
    assert {kind for method, path, kind in seen if path == "/e/"} == {"text/plain"}
    assert "OPTIONS" not in {method for method, _, _ in seen}


async def test_who_leaves_the_page_is_heard(daemon: Daemon, stage: Stage):
    async with stage.page(LEAVING, daemon.url) as page:
        await until_tables(daemon, LEAVING, rows_of_a_visit(LEAVING))
        await page.goto(f"{stage.site.url}/next")
        await until_tables(daemon, LEAVING, {"pageleave": 1})


@pytest.mark.parametrize("driver", STUBBORN, ids=lambda driver: driver.name)
async def test_what_was_refused_for_now_comes_again_and_is_one_row(daemon: Daemon, stage: Stage, driver: Driver):
    async with asyncio.TaskGroup() as group:
        for fault in FAULTS:
            if (driver, fault) not in LOSING:
                group.create_task(comes_once(daemon, stage, under(driver, fault.name), fault))


def has_events(request: web.Request) -> bool:
    return request.path in {"/e/", "/batch/"} and request.method == "POST"


async def comes_once(daemon: Daemon, stage: Stage, driver: Driver, fault: Fault) -> None:
    counts = rows_of_a_visit(driver)

    async def came_again() -> bool:
        return await daemon.metric("headwater_events_duplicate_total", source=driver.name) > 0

    async with (
        proxying(daemon.url, fault, is_of_events=has_events) as proxy,
        stage.driving(driver, proxy.url),
    ):
        await until_tables(daemon, driver, counts)
        if fault.is_stored:
            await until(came_again, f"{driver.name} sends what is there already")
    await daemon.settled("warehouse")

    assert len(proxy.refused) == fault.times
    assert await counts_of(daemon, driver, counts) == counts


@pytest.mark.parametrize(("driver", "fault"), LOSING, ids=lambda each: each.name)
async def test_posthog_js_drops_what_hears_429_and_the_old_one_what_hears_500(
    daemon: Daemon, stage: Stage, driver: Driver, fault: Fault
):
    """Which is why the gateway says 503 instead."""
    driver = under(driver, fault.name)
    async with (
        proxying(daemon.url, fault, is_of_events=has_events) as proxy,
        stage.page(driver, proxy.url) as page,
    ):
        await until(lambda: len(proxy.refused) == 1, "the first request was refused")
        await page.evaluate("driver.more()")
        await until_tables(daemon, driver, {"came_back": 1})
    await daemon.settled("warehouse")

    counts = rows_of_a_visit(driver)
    assert await counts_of(daemon, driver, counts) == {**counts, "tracks": 4, "identifies": 0}, "the identify was first"


@pytest.mark.parametrize("driver", RATED, ids=lambda driver: driver.name)
async def test_what_was_over_the_rate_comes_later_and_is_one_row(daemon: Daemon, stage: Stage, driver: Driver):
    counts = rows_of_a_visit(driver)
    async with stage.page(driver, daemon.url):
        await until_tables(daemon, driver, counts)
    await daemon.settled("warehouse")

    assert await counts_of(daemon, driver, counts) == counts
    assert await daemon.metric("headwater_requests_total", route="posthog", status="503") > 0
