"""When a page sends, what is in the requests, and how long it waits after a failure. The clock is stopped: what the
gateway makes of it all is in tests/e2e/browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from tests.integration.script.conftest import Answer, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

START_S = 1_800_000_000
SEND_MS = 1
"""What is to be sent at once is sent when the page has done its work."""
TRACK = "count => { for (let i = 0; i < count; i++) analytics.track('E' + i) }"
OUTBOX = "Object.keys(localStorage).filter((key) => key.startsWith('hw_out:')).length"
LISTEN = "window.waits = []; analytics.on('retrying', (ids, seconds) => waits.push(seconds))"


async def stop_time(page: Page) -> None:
    """From here on the clock of all pages of the visitor moves only when told to."""
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)


async def settle(page: Page) -> None:
    """Lets the page's microtasks and answers in flight come home."""
    await page.evaluate("fetch('/next').then((response) => response.text())")


async def fail(page: Page, site: Site, answer: Answer, luck: float = 1) -> float:
    """One event that meets this answer: how many seconds the page will wait. `luck` is what chance draws."""
    site.answers.append(answer)
    await stop_time(page)
    await page.add_init_script(f"Math.random = () => {luck}")
    await page.goto(site.origin)
    await page.evaluate(LISTEN)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    waits_s: list[float] = await page.evaluate("waits")
    return waits_s[0]


async def test_events_of_one_second_travel_together(page: Page, site: Site):
    await stop_time(page)
    await page.goto(site.origin)
    await page.evaluate(TRACK, 19)
    await page.clock.run_for(900)
    await settle(page)
    assert site.bodies == []

    await page.clock.run_for(200)
    await site.until(lambda: bool(site.bodies))

    assert site.names() == [f"E{i}" for i in range(19)]


async def test_twenty_events_do_not_wait(page: Page, site: Site):
    await stop_time(page)
    await page.goto(site.origin)

    await page.evaluate(TRACK, 20)
    await page.clock.run_for(SEND_MS)
    await site.until(lambda: bool(site.bodies))

    assert len(site.events()) == 20


async def test_a_call_that_waits_for_its_event_does_not_let_it_wait(page: Page, site: Site):
    await stop_time(page)
    await page.goto(site.origin)

    await page.evaluate("analytics.track('A', {}, {}, (event) => (window.stored = event.messageId)); null")
    await page.clock.run_for(SEND_MS)
    await site.until(lambda: bool(site.bodies))
    await settle(page)

    assert [event["messageId"] for event in site.events()] == [await page.evaluate("stored")]


async def test_a_request_is_plain_text_that_needs_no_preflight(page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A'), analytics.flush()")

    ((request,), (body,)) = (site.requests, site.bodies)
    assert request.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert set(body) == {"batch", "sentAt", "writeKey", "anonymousId"}
    assert (body["writeKey"], body["anonymousId"]) == ("wk", body["batch"][0]["anonymousId"])
    assert body["sentAt"] >= body["batch"][0]["timestamp"]


async def test_a_large_burst_is_split_and_complete(page: Page, site: Site):
    await page.goto(site.origin)

    await page.evaluate("for (let i = 0; i < 100; i++) analytics.track('E' + i, {text: 'é'.repeat(1000)})")
    await site.until(lambda: len(site.events()) == 100)

    sizes = [len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()) for body in site.bodies]
    assert max(sizes) <= 56 * 1024 + 512
    assert site.names() == [f"E{i}" for i in range(100)]


@pytest.mark.parametrize("status", [400, 401, 413])
async def test_a_refusal_is_final(page: Page, site: Site, answer: type[Answer], status: int):
    site.answers.append(answer(status))
    await page.goto(site.origin)

    dropped = await page.evaluate("""async () => {
        const dropped = [];
        analytics.on('dropped', (ids, reason) => dropped.push([ids.length, reason]));
        analytics.track('Refused');
        await analytics.flush();
        return dropped;
    }""")

    assert dropped == [[1, f"refused: {status}"]]
    assert await page.evaluate(OUTBOX) == 0


@pytest.mark.parametrize("status", [429, 500])
async def test_any_other_failure_is_tried_again(page: Page, site: Site, answer: type[Answer], status: int):
    assert await fail(page, site, answer(status)) == 1

    await page.clock.run_for(1_100)
    await site.until(lambda: bool(site.bodies))
    await settle(page)

    assert (len(site.requests), site.names()) == (2, ["A"])
    assert await page.evaluate(OUTBOX) == 0


async def test_the_wait_doubles_up_to_a_minute_and_ends_with_a_success(page: Page, site: Site, answer: type[Answer]):
    site.answers.extend([answer(503)] * 7)
    await fail(page, site, answer(503))
    while len(site.requests) < 8:
        before = len(site.requests)
        await page.clock.run_for(60_100)
        await site.until(lambda: len(site.requests) > before)  # noqa: B023 - awaited in the same round
        await settle(page)
    await page.clock.run_for(60_100)
    await site.until(lambda: bool(site.bodies))
    await settle(page)
    site.answers.append(answer(503))
    await page.evaluate("analytics.track('B'), analytics.flush()")

    assert await page.evaluate("waits") == [1, 2, 4, 8, 16, 32, 60, 60, 1]


@pytest.mark.parametrize(
    ("retry_after", "luck", "seconds"),
    [
        ("30", 0.5, 30.5),
        ("86400", 0, 300),
        ("Wed, 25 Nov 2026 02:32:10 GMT", 0.25, 0.25),
    ],
)
async def test_the_server_may_ask_for_five_minutes_and_chance_comes_on_top(
    page: Page, site: Site, answer: type[Answer], retry_after: str, luck: float, seconds: float
):
    waits_s = await fail(page, site, answer(503, {"Retry-After": retry_after}), luck)

    assert waits_s == pytest.approx(seconds)


async def test_neither_time_nor_more_events_nor_another_tab_cut_the_wait_short(
    page: Page, site: Site, answer: type[Answer], context: BrowserContext
):
    await fail(page, site, answer(429, {"Retry-After": "30"}))
    other = await context.new_page()
    await other.goto(site.origin)
    for each in (page, other):
        await each.evaluate(TRACK, 20)
    await page.clock.run_for(30_900)
    await settle(page)
    assert len(site.requests) == 1

    await page.clock.run_for(200)
    await site.until(lambda: len(site.events()) == 41)

    assert len(site.requests) == 2


async def test_without_locks_a_wait_of_a_fraction_ends_too(page: Page, site: Site, answer: type[Answer]):
    await page.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    await fail(page, site, answer(503), 0.0105)

    await page.clock.run_for(1_000)
    await site.until(lambda: bool(site.bodies))


async def test_whoever_flushes_does_not_wait(page: Page, site: Site, answer: type[Answer]):
    await fail(page, site, answer(503, {"Retry-After": "300"}))

    await page.evaluate("analytics.flush()")

    assert site.names() == ["A"]


async def test_one_tab_sends_what_all_have(page: Page, site: Site, context: BrowserContext):
    await stop_time(page)
    other = await context.new_page()
    for each, name in ((page, "Mine"), (other, "Theirs")):
        await each.goto(site.origin)
        await each.evaluate(f"analytics.track('{name}'); null")
        await page.clock.run_for(10)

    await other.evaluate("analytics.flush()")
    await settle(page)

    assert (site.names(), len(site.requests)) == (["Mine", "Theirs"], 1)


async def test_what_stands_in_the_outbox_and_is_no_event_of_ours_is_left_out(page: Page, site: Site):
    await page.goto(site.origin)

    await page.evaluate("""() => {
        analytics.track('Good');
        Object.assign(localStorage, {'hw_out:': '{}', 'hw_out:x': '{', 'hw_out:a:b:c': ''});
        localStorage['hw_out:' + '0'.repeat(36) + ':9'] = ']';
        return analytics.flush();
    }""")

    assert [event["event"] for event in site.events() if event] == ["Good"]
    assert await page.evaluate(OUTBOX) == 0
