"""When events leave the page, and what happens to those that the server does not take."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Error

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from tests.integration.script.conftest import Answer, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

START_S = 1_800_000_000
OUTBOX = "Object.keys(localStorage).filter((key) => key.startsWith('hw_out:')).length"


async def stop_time(page: Page) -> None:
    """From here on the page's clock moves only when told to."""
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)


async def settle(page: Page) -> None:
    """Lets the page's microtasks and answers in flight come home."""
    await page.evaluate("fetch('/next').then((response) => response.text())")


async def test_events_of_one_second_travel_together(page: Page, site: Site):
    await stop_time(page)
    await page.goto(site.origin)
    await page.evaluate("for (let i = 0; i < 19; i++) analytics.track('E' + i); null")
    await page.clock.run_for(900)
    await settle(page)
    assert site.bodies == []

    await page.clock.run_for(200)
    await site.until(lambda: bool(site.bodies))

    (body,) = site.bodies
    assert len(body["batch"]) == 19
    assert site.requests[0].headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert set(body) == {"batch", "sentAt", "writeKey"}


async def test_twenty_events_do_not_wait(page: Page, site: Site):
    await stop_time(page)
    await page.goto(site.origin)

    await page.evaluate("for (let i = 0; i < 20; i++) analytics.track('E' + i); null")
    await site.until(lambda: bool(site.bodies))

    assert len(site.events()) == 20


async def test_a_large_burst_is_split_and_complete(page: Page, site: Site):
    await page.goto(site.origin)

    await page.evaluate("for (let i = 0; i < 100; i++) analytics.track('E' + i, {text: 'é'.repeat(1000)})")
    await site.until(lambda: len(site.events()) == 100)

    sizes = [len(json.dumps(body, ensure_ascii=False).encode()) for body in site.bodies]
    assert len(sizes) > 3
    assert max(sizes) < 60_000
    assert site.names() == [f"E{i}" for i in range(100)]


async def test_an_event_beyond_the_keepalive_limit_is_sent_alone(page: Page, site: Site):
    await page.goto(site.origin)

    await page.evaluate(
        "analytics.track('Big', {text: 'x'.repeat(100_000)}), analytics.track('Small'), analytics.flush()"
    )
    await site.until(lambda: len(site.events()) == 2)

    assert [len(body["batch"]) for body in site.bodies] == [1, 1]


async def test_an_error_of_the_server_is_tried_again_with_the_same_ids(page: Page, site: Site, answer: type[Answer]):
    site.answers.extend([answer(500), answer(502)])
    await stop_time(page)
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A').then((event) => (window.id = event.messageId)), analytics.flush()")
    for backoff_ms in (1000, 2000):
        await settle(page)
        await page.clock.run_for(backoff_ms)
    await site.until(lambda: bool(site.bodies))

    assert len(site.requests) == 3
    assert [event["messageId"] for event in site.events()] == [await page.evaluate("id")]
    assert await page.evaluate(OUTBOX) == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(page: Page, site: Site, answer: type[Answer], status: int):
    site.answers.append(answer(status, {"Retry-After": "30"}))
    await stop_time(page)
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    await site.until(lambda: len(site.requests) == 1)
    await settle(page)

    await page.evaluate("for (let i = 0; i < 30; i++) analytics.track('more'); null")
    await page.clock.run_for(29_000)
    await settle(page)
    assert len(site.requests) == 1, "neither time nor more events may cut the wait short"

    await page.clock.run_for(2_000)
    await site.until(lambda: len(site.events()) == 31)


@pytest.mark.parametrize("status", [400, 401, 413])
async def test_a_refusal_is_final_and_the_next_event_says_so(page: Page, site: Site, answer: type[Answer], status: int):
    site.answers.append(answer(status))
    await page.goto(site.origin)

    dropped = await page.evaluate("""async () => {
        const dropped = [];
        analytics.on('dropped', (ids, reason) => dropped.push([ids.length, reason]));
        analytics.track('Refused');
        await analytics.flush();
        analytics.track('Next');
        await analytics.flush();
        return dropped;
    }""")

    assert dropped == [[1, f"refused: {status}"]]
    assert site.names() == ["Next"]
    assert site.events()[0]["context"]["dropped"] == 1
    assert await page.evaluate(OUTBOX) == 0


async def test_offline_events_wait_and_leave_once_the_network_is_back(page: Page, site: Site, context: BrowserContext):
    await page.goto(site.origin)
    await context.set_offline(offline=True)
    await page.evaluate("analytics.track('A'), analytics.track('B'), analytics.flush()")
    assert await page.evaluate(OUTBOX) == 2

    await context.set_offline(offline=False)
    await site.until(lambda: len(site.events()) == 2)

    assert site.names() == ["A", "B"]


async def test_the_outbox_survives_a_reload(page: Page, site: Site, answer: type[Answer]):
    site.answers.extend([answer(503)] * 3)
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A'), analytics.track('B'), analytics.flush()")
    await site.until(lambda: len(site.requests) == 1)
    site.answers.clear()
    site.answers.append(answer(503))  # for the attempt on the way out

    await page.clock.install(time=await page.evaluate("Date.now() + 11_000"))
    await page.reload()
    await site.until(lambda: len(site.events()) >= 2)

    assert site.names()[:2] == ["A", "B"]


async def test_the_outbox_survives_a_crash(context: BrowserContext, page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate("analytics.track('Unsent')")
    async with page.expect_event("crash"):
        with suppress(Error):  # there is no page to arrive at
            await page.goto("chrome://crash", timeout=500)
    await page.close()
    assert site.bodies == []

    heir = await context.new_page()
    await heir.clock.install(time=await now_plus(context, site, 11_000))
    await heir.goto(site.origin)
    await site.until(lambda: bool(site.events()))

    assert site.names() == ["Unsent"]


async def test_a_living_tab_keeps_its_own_events(context: BrowserContext, page: Page, site: Site, answer: type[Answer]):
    site.answers.append(answer(503, {"Retry-After": "300"}))
    await page.goto(site.origin)
    await page.evaluate("analytics.track('Mine'), analytics.flush()")
    await site.until(lambda: len(site.requests) == 1)

    other = await context.new_page()
    await other.clock.install(time=await now_plus(context, site, 11_000))
    await other.goto(site.origin)
    await other.evaluate("analytics.track('Theirs'), analytics.flush()")
    await site.until(lambda: bool(site.events()))
    await settle(other)

    assert site.names() == ["Theirs"]
    assert await other.evaluate(OUTBOX) == 1


async def test_two_tabs_lose_nothing(context: BrowserContext, page: Page, site: Site):
    other = await context.new_page()
    work = "async (tab) => { for (let i = 0; i < 100; i++) { analytics.track(tab + i); if (i % 9 == 0) await 0 } }"
    for each in (page, other):
        await each.goto(site.origin)
    await asyncio.gather(page.evaluate(work, "a"), other.evaluate(work, "b"))
    await asyncio.gather(page.evaluate("analytics.flush()"), other.evaluate("analytics.flush()"))

    await site.until(lambda: len({event["messageId"] for event in site.events()}) == 200)
    assert {event["event"] for event in site.events()} == {f"{tab}{i}" for tab in "ab" for i in range(100)}
    assert len({event["anonymousId"] for event in site.events()}) == 1


async def test_a_full_outbox_drops_the_oldest_and_counts_them(page: Page, site: Site, context: BrowserContext):
    await page.goto(site.origin)
    await context.set_offline(offline=True)
    dropped = await page.evaluate("""async () => {
        let dropped = 0;
        analytics.on('dropped', (ids, reason) => (dropped += ids.length));
        for (let i = 0; i < 510; i++) analytics.track('E' + i);
        return dropped;
    }""")
    kept = await page.evaluate(OUTBOX)

    await context.set_offline(offline=False)
    await site.until(lambda: "E509" in site.names())

    assert kept + dropped == 510
    assert kept <= 500
    assert site.names() == [f"E{i}" for i in range(dropped, 510)]
    assert sum(event["context"].get("dropped", 0) for event in site.events()) == dropped - 1, (
        "the last call displaced one"
    )


async def now_plus(context: BrowserContext, site: Site, milliseconds: int) -> float:
    """A time for a page's clock: later than what other pages of the site wrote down."""
    page = await context.new_page()
    await page.goto(f"{site.origin}/next")
    time_ms = await page.evaluate(f"Date.now() + {milliseconds}")
    await page.close()
    return time_ms / 1000
