"""Nothing is lost when a page goes away, not even where the way to the server is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Browser, BrowserContext, Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

GO = "document.body.insertAdjacentHTML('beforeend', '<a href=/next>next</a>'); document.querySelector('a').click()"
COUNT_LISTENERS = """
    window.heard = [];
    for (const target of [window, document]) {
        const original = target.addEventListener;
        target.addEventListener = function (type, ...rest) {
            heard.push(type);
            return original.call(this, type, ...rest);
        };
    }
"""


async def test_events_made_on_a_click_that_navigates_arrive(page: Page, site: Site, slow_origin: Callable[[], Any]):
    async with slow_origin() as origin:
        await page.goto(origin)
        await page.evaluate(f"() => {{ analytics.track('Clicked'); {GO} }}")
        await page.close()
        await site.until(lambda: bool(site.events()))

    assert site.names() == ["Clicked"]


async def test_events_in_flight_and_waiting_arrive_when_the_tab_is_closed(
    page: Page, site: Site, slow_origin: Callable[[], Any]
):
    async with slow_origin() as origin:
        await page.goto(origin)
        await page.evaluate("() => { analytics.track('InFlight'); analytics.flush(); analytics.track('Waiting') }")
        await page.close(run_before_unload=True)
        await site.until(lambda: len(site.events()) == 2)

    assert sorted(site.names()) == ["InFlight", "Waiting"]


async def test_events_made_during_pagehide_arrive(page: Page, site: Site, slow_origin: Callable[[], Any]):
    site.pages["/"] = (
        "<script>addEventListener('pagehide', () => analytics.track('Last words'))</script>" + site.pages["/"]
    )
    async with slow_origin() as origin:
        await page.goto(origin)
        await page.evaluate(GO)
        await site.until(lambda: bool(site.events()))

    assert site.names() == ["Last words"]


async def test_more_than_the_browser_takes_on_exit_is_sent_by_the_next_page(page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate(
        f"() => {{ for (let i = 0; i < 19; i++) analytics.track('E' + i, {{text: 'x'.repeat(9000)}}); {GO} }}"
    )
    await page.wait_for_url("**/next")
    await page.clock.install(time=await page.evaluate("(Date.now() + 11_000) / 1000"))
    await page.goto(site.origin)

    await site.until(lambda: len({event["messageId"] for event in site.events()}) == 19)


async def test_a_hidden_tab_sends_at_once_and_only_once(page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate("""() => {
        analytics.track('Before hiding');
        Object.defineProperty(document, 'visibilityState', {get: () => 'hidden', configurable: true});
        document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
        delete document.visibilityState;
    }""")
    await site.until(lambda: bool(site.events()))
    await page.evaluate("analytics.track('Back'), analytics.flush()")
    await site.until(lambda: len(site.events()) >= 2)

    assert site.names() == ["Before hiding", "Back"]


async def test_leaving_is_neither_delayed_nor_watched_by_what_breaks_the_back_forward_cache(page: Page, site: Site):
    await page.add_init_script(COUNT_LISTENERS)
    await page.goto(site.origin)

    heard = await page.evaluate("heard")

    assert "pagehide" in heard
    assert not {"unload", "beforeunload", "click", "submit"} & set(heard)


async def test_a_page_comes_back_from_the_back_forward_cache_and_goes_on(browser: Browser, site: Site):
    launcher = browser.browser_type
    cached = await launcher.launch(
        executable_path="/usr/bin/chromium",
        args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    try:
        context: BrowserContext = await cached.new_context()
        page = await context.new_page()
        await page.goto(site.origin)
        await page.evaluate(
            "addEventListener('pageshow', (event) => (window.kept = event.persisted)); analytics.track('A')"
        )
        await page.evaluate(GO)
        await page.wait_for_url("**/next")
        await page.evaluate("setTimeout(() => history.back()); null")
        await page.wait_for_url(f"{site.origin}/", wait_until="commit")
        await page.wait_for_function("window.kept === true")
        await page.evaluate("analytics.track('B'), analytics.flush()")
        await site.until(lambda: "B" in site.names())
    finally:
        await cached.close()

    assert {event["event"] for event in site.events()} == {"A", "B"}
