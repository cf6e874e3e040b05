"""What becomes of events when the server fails, refuses, asks for patience or cannot be reached, and of too many at
once: each is in the warehouse once, or the page is told that it is not."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browser.harness.front import Fault
from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

START_S = 1_800_000_000
BUDGET_BYTES = 64 * 1024
"""What browsers let a page have in flight, in beacons and requests with `keepalive` together."""
QUIET = tag("plain")
"""Sends what it is told to, and nothing by itself."""
HEAR = """
    window.heard = [];
    for (const hook of ['retrying', 'dropped', 'delivered'])
        analytics.on(hook, (ids, more) => heard.push([hook, ids.length, more]));
"""
OUTBOX = "Object.keys(localStorage).filter((key) => key.startsWith('hw_out:')).length"


async def open_page(shop: Shop, page: Page, name: str = "index", script: str = QUIET) -> None:
    """A page that writes down what the script tells it of its events."""
    await page.goto(shop.write(script, name))
    await page.evaluate(HEAR)


async def until_heard(page: Page, hook: str, count: int = 1) -> list[Any]:
    """What the page heard by that name, once it was so often."""
    heard: list[Any] = []

    async def is_heard() -> bool:
        heard[:] = [each for each in await page.evaluate("heard") if each[0] == hook]
        return len(heard) >= count

    await until(is_heard, f"the page hears {hook}")
    return heard


async def stop_time(page: Page) -> None:
    """From here on the clock of all pages of the visitor moves only when told to."""
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)


async def settle(page: Page) -> None:
    """Lets what the page has begun come to the server."""
    await page.evaluate("fetch(location.href).then((response) => response.text())")


def sent_ids(shop: Shop) -> list[str]:
    """The messageIds of all requests, in the order in which they came."""
    return [event["messageId"] for post in shop.relay.posts for event in json.loads(post["body"])["batch"]]


@pytest.mark.parametrize("first", [500, 503])
async def test_an_event_that_the_server_failed_to_take_is_tried_again_until_it_is_taken(
    shop: Shop, page: Page, first: int
):
    shop.relay.faults.extend([Fault(first), Fault(502)])
    await stop_time(page)
    await open_page(shop, page)

    await page.evaluate("analytics.track('A'), analytics.flush()")
    for attempt, backoff_ms in enumerate((1000, 2000), 1):
        await until_heard(page, "retrying", attempt)
        await page.clock.run_for(backoff_ms)
    await until_heard(page, "delivered")

    (row,) = await shop.until_rows(1)
    assert sent_ids(shop) == [row["id"]] * 3
    assert await page.evaluate(OUTBOX) == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed_to_the_second_and_then_everything_goes_at_once(
    shop: Shop, page: Page, status: int
):
    shop.relay.faults.append(Fault(status, retry_after_s=30))
    await stop_time(page)
    await open_page(shop, page)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    await until_heard(page, "retrying")

    await page.evaluate("for (let i = 0; i < 25; i++) analytics.track('More'); null")
    await page.clock.run_for(29_000)
    await settle(page)
    assert len(shop.relay.posts) == 1, "neither time nor more events may cut the wait short"

    await page.clock.run_for(2_000)
    await until_heard(page, "delivered")
    assert len(await shop.until_rows(26)) == 26
    assert len(shop.relay.posts) == 2


async def test_the_next_page_is_as_patient_as_the_server_asked_the_last_one_to_be(shop: Shop, page: Page):
    shop.relay.faults.append(Fault(429, retry_after_s=30))
    await stop_time(page)
    await open_page(shop, page)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    await until_heard(page, "retrying")

    await open_page(shop, page, "second")
    await page.evaluate("analytics.track('B'); null")
    await page.clock.run_for(29_000)
    await settle(page)
    assert len(shop.relay.posts) == 1

    await page.clock.run_for(2_000)
    await until_heard(page, "delivered")
    assert {row["event_text"] for row in await shop.until_rows(2)} == {"A", "B"}
    assert len(shop.relay.posts) == 2


async def test_an_event_whose_connection_is_cut_arrives_once(shop: Shop, page: Page):
    """Before the site, and behind it."""
    shop.relay.faults.extend([Fault(0)] * 2)
    await open_page(shop, page)
    cuts = iter(["connectionreset", "connectionclosed"])
    await page.route(f"**{SCRIPT}", lambda route: route.abort(cut) if (cut := next(cuts, "")) else route.continue_())

    await page.evaluate("analytics.track('A'); null")
    for _ in range(4):
        await page.evaluate("analytics.flush()")
    await until_heard(page, "delivered")

    row = await shop.until_event("A")
    assert set(sent_ids(shop)) == {row["id"]}
    assert len(await until_heard(page, "retrying", 2)) >= 2, "nginx may have tried again by itself"


async def test_a_refused_request_is_forgotten_and_never_sent_again(shop: Shop, page: Page, context: BrowserContext):
    shop.relay.faults.append(Fault(400))
    await open_page(shop, page)
    await page.evaluate("analytics.track('Refused'), analytics.flush()")
    assert await until_heard(page, "dropped") == [["dropped", 1, "refused: 400"]]

    await open_page(shop, page, "second")
    await page.evaluate("analytics.track('Next'), analytics.flush()")

    assert (await shop.until_event("Next"))["id"] == sent_ids(shop)[-1]
    assert len(sent_ids(shop)) == 2
    assert await shop.events() == ["Next"]


async def test_a_wrong_key_loses_its_events_and_says_so(shop: Shop, page: Page):
    await open_page(shop, page, script=tag("plain", 'data-write-key="nobody"'))
    await page.evaluate("analytics.track('Refused'), analytics.flush()")

    assert await until_heard(page, "dropped") == [["dropped", 1, "refused: 401"]]
    assert await page.evaluate(OUTBOX) == 0


async def test_what_happens_offline_is_sent_once_when_the_network_is_back(
    shop: Shop, page: Page, context: BrowserContext
):
    await open_page(shop, page)
    await context.set_offline(offline=True)
    await page.evaluate("analytics.track('A'), analytics.track('B'), analytics.flush()")
    await until_heard(page, "retrying")

    await context.set_offline(offline=False)

    assert [row["event_text"] for row in await shop.until_rows(2)] == ["A", "B"]
    assert len(sent_ids(shop)) == 2


@pytest.mark.parametrize("kilobytes", [70, 200])
async def test_a_burst_is_split_into_what_browsers_let_through(
    shop: Shop, page: Page, complaints: list[str], kilobytes: int, slow_port: Callable[[], Any]
):
    async with slow_port() as port:
        shop.write(QUIET)
        await page.goto(shop.url(port=port))
        await page.evaluate(
            "count => { for (let i = 0; i < count; i++) analytics.track('E' + i, {text: 'é'.repeat(500)}) }", kilobytes
        )
        rows = await shop.until_rows(kilobytes)

    assert {row["event_text"] for row in rows} == {f"E{i}" for i in range(kilobytes)}
    assert len(shop.relay.posts) > 1
    assert max(len(post["body"].encode()) for post in shop.relay.posts) <= BUDGET_BYTES
    assert complaints == []


async def test_a_burst_survives_beacons_of_the_page_that_fill_the_budget(
    shop: Shop, page: Page, complaints: list[str], slow_port: Callable[[], Any]
):
    async with slow_port() as port:
        shop.write(QUIET)
        await page.goto(shop.url(port=port))
        await page.evaluate("""() => {
            navigator.sendBeacon('/elsewhere', 'x'.repeat(60_000));
            for (let i = 0; i < 70; i++) analytics.track('E' + i, {text: 'x'.repeat(1000)});
        }""")
        await shop.until_rows(70)

    assert complaints == []


async def test_two_tabs_that_close_at_once_and_share_the_budget_lose_nothing(
    shop: Shop, page: Page, context: BrowserContext, slow_port: Callable[[], Any]
):
    shop.write(QUIET)
    async with slow_port() as port:
        tabs = [page, await context.new_page()]
        for tab in tabs:
            await tab.goto(shop.url(port=port))
        await asyncio.gather(
            *(
                tab.evaluate("for (let i = 0; i < 19; i++) analytics.track('E' + i, {text: 'x'.repeat(4000)})")
                for tab in tabs
            )
        )
        await asyncio.gather(*(tab.close(run_before_unload=True) for tab in tabs))
        heir = await context.new_page()
        await heir.goto(shop.url(port=port))
        rows = await shop.until_rows(38)

    assert len({row["id"] for row in rows}) == 38


async def test_an_event_beyond_the_budget_travels_alone(shop: Shop, page: Page, complaints: list[str]):
    await open_page(shop, page)
    await page.evaluate(
        "analytics.track('Small'), analytics.track('Big', {text: 'x'.repeat(100_000)}), analytics.track('Last'),"
        "analytics.flush()"
    )
    rows = await shop.until_rows(3)

    assert [row["event_text"] for row in rows] == ["Small", "Big", "Last"]
    assert len(json.loads(rows[1]["properties"])["text"]) == 100_000
    assert [len(json.loads(post["body"])["batch"]) for post in shop.relay.posts] == [1, 1, 1]
    assert complaints == []


@pytest.mark.parametrize(("count", "text_bytes"), [(510, 0), (60, 10_000)])
async def test_a_full_outbox_gives_up_the_oldest_and_counts_them(
    shop: Shop, page: Page, context: BrowserContext, count: int, text_bytes: int
):
    await open_page(shop, page, script=tag("plain", 'data-off="page history engagement hints session attribution"'))
    await context.set_offline(offline=True)
    await page.evaluate(
        "([count, bytes]) => { for (let i = 0; i < count; i++) analytics.track('E' + i, {text: 'x'.repeat(bytes)}) }",
        [count, text_bytes],
    )
    dropped = await until_heard(page, "dropped")
    kept = await page.evaluate(OUTBOX)

    await context.set_offline(offline=False)
    await page.evaluate("analytics.flush()")
    rows = await shop.until_rows(kept)

    assert {why for _, _, why in dropped} == {"outbox full"}
    assert kept + len(dropped) == count
    assert [row["event_text"] for row in rows] == [f"E{i}" for i in range(len(dropped), count)]


async def test_one_event_that_is_refused_costs_its_batch_nothing(shop: Shop, page: Page):
    await open_page(shop, page)
    await page.evaluate("analytics.track('A'), analytics.track(), analytics.track('B'), analytics.flush()")

    assert [row["event_text"] for row in await shop.until_rows(2)] == ["A", "B"]
    assert len(sent_ids(shop)) == 3
    assert await page.evaluate(OUTBOX) == 0
