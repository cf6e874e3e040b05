"""Nothing is lost when a page goes away, not even where the way to the server is slow; and nothing that a page does
while it goes is held up, watched in a way that costs it something, or changed."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Error, Page

from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

VISITORS = 10
QUIET = tag("plain")
LINK = '<a id="next" href="next">next</a>'
GO = "document.querySelector('#next').click()"
HIDE = """
    Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});
    Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});
    document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
    delete document.visibilityState;
    delete document.hidden;
    document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
"""
COUNT_LISTENERS = """
    window.heard = [];
    for (const target of [EventTarget.prototype, window, document]) {
        const original = target.addEventListener;
        target.addEventListener = function (type, ...rest) {
            heard.push(type);
            return original.call(this, type, ...rest);
        };
    }
    for (const name of ['preventDefault', 'stopPropagation', 'stopImmediatePropagation']) {
        Event.prototype[name] = () => heard.push(name);
    }
"""


Leave = Callable[[Page], Awaitable[None]]


async def close(page: Page) -> None:
    await page.close(run_before_unload=True)


async def follow_a_link(page: Page) -> None:
    await page.evaluate(GO)


async def visit(browser: Browser, url: str, leave: Leave) -> BrowserContext:
    """What a new visitor does: one event is on its way and one waits when the page is left."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(url)
    async with page.expect_request(lambda request: request.method == "POST"):
        await page.evaluate("analytics.track('In Flight'), analytics.flush(), analytics.track('Waiting'); null")
    await leave(page)
    return context


@pytest.mark.parametrize("leave", [close, follow_a_link])
async def test_what_is_in_flight_and_what_waits_arrives_of_ten_visitors_out_of_ten(
    shop: Shop, browser: Browser, slow_port: Callable[[], Any], leave: Leave
):
    shop.write(QUIET + LINK)
    shop.write("the next page has no script", "next")
    async with slow_port() as port:
        visitors = await asyncio.gather(*(visit(browser, shop.url(port=port), leave) for _ in range(VISITORS)))
        rows = await shop.until_rows(2 * VISITORS)
    await asyncio.gather(*(visitor.close() for visitor in visitors))

    assert sorted(row["event_text"] for row in rows) == ["In Flight"] * VISITORS + ["Waiting"] * VISITORS
    assert len({row["anonymous_id"] for row in rows}) == VISITORS


async def test_what_a_crashed_page_had_not_sent_is_sent_by_the_next(shop: Shop, page: Page, context: BrowserContext):
    url = shop.write(QUIET)
    await page.goto(url)
    await page.evaluate("analytics.track('Unsent'); null")
    async with page.expect_event("crash"):
        with suppress(Error):  # there is no page to arrive at
            await page.goto("chrome://crash", timeout=500)
    await page.close()
    assert shop.relay.posts == []

    heir = await context.new_page()
    await heir.goto(url)

    assert await shop.until_event("Unsent")
    assert await shop.events() == ["Unsent"]


@pytest.mark.parametrize("event", ["pagehide", "visibilitychange"])
async def test_last_words_of_the_page_itself_arrive(shop: Shop, page: Page, slow_port: Callable[[], Any], event: str):
    shop.write(f"<script>addEventListener('{event}', () => analytics.track('Last Words'))</script>{QUIET}{LINK}")
    shop.write("the next page has no script", "next")
    async with slow_port() as port:
        await page.goto(shop.url(port=port))
        await page.evaluate(GO)

        assert await shop.until_event("Last Words")


async def test_a_hidden_tab_sends_at_once_and_only_once(shop: Shop, page: Page):
    await page.clock.install(time=1_800_000_000)
    await page.clock.pause_at(1_800_000_001)
    await page.goto(shop.write(QUIET))

    await page.evaluate(f"() => {{ analytics.track('Before'); {HIDE} }}")
    assert await shop.until_event("Before")
    await page.clock.run_for(5_000)
    await page.evaluate("analytics.track('After'), analytics.flush()")

    assert await shop.until_event("After")
    sent = [[event["event"] for event in json.loads(post["body"])["batch"]] for post in shop.relay.posts]
    assert sent == [["Before"], ["After"]]


async def test_nothing_listens_to_what_costs_the_back_forward_cache_and_nothing_is_prevented(shop: Shop, page: Page):
    await page.add_init_script(COUNT_LISTENERS)
    form = "<form><input><button>send</button></form>"
    await page.goto(shop.write(f"{tag('chunks')}{form}<a href='#here' data-track='Clicked'>here</a>"))
    await shop.until_rows(1, "pages")
    await page.click("a")
    await page.evaluate("window.onsubmit = () => false, document.querySelector('button').click()")
    await page.evaluate("analytics.flush()")
    heard = set(await page.evaluate("heard"))

    assert {"pagehide", "visibilitychange", "click", "submit"} <= heard
    assert not {"unload", "beforeunload", "preventDefault", "stopPropagation", "stopImmediatePropagation"} & heard
    assert await page.evaluate("[window.onunload, window.onbeforeunload]") == [None, None]
    assert await shop.until_event("Clicked")


@pytest.mark.parametrize("next_page", ["no script here", QUIET], ids=["to one without the script", "to one with it"])
async def test_a_page_left_in_the_midst_of_sending_comes_back_from_the_back_forward_cache_and_goes_on(
    shop: Shop, page: Page, slow_port: Callable[[], Any], next_page: str
):
    shop.write(QUIET + LINK)
    shop.write(next_page, "next")
    async with slow_port() as port:
        await page.goto(shop.url(port=port))
        async with page.expect_request(lambda request: request.method == "POST"):
            await page.evaluate("""() => {
                addEventListener('pageshow', ({persisted}) => (window.kept = persisted));
                for (let i = 0; i < 60; i++) analytics.track('Before', {text: 'x'.repeat(3000)});
            }""")
        await page.evaluate(GO)
        await page.wait_for_url("**/next")
        await page.evaluate("window.analytics && (analytics.track('Next'), analytics.flush())")
        await page.evaluate("setTimeout(() => history.back()); null")
        await page.wait_for_url("**/index", wait_until="commit")
        await page.wait_for_function("window.kept")
        await page.evaluate("analytics.track('Back'), analytics.flush()")
        rows = await shop.until_rows(62 if next_page == QUIET else 61)

    assert [row["event_text"] for row in rows if row["event_text"] != "Next"] == ["Before"] * 60 + ["Back"]
