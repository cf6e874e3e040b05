"""Visitors who say it by their browser, with Global Privacy Control or Do Not Track, and sites that keep nothing."""

import re

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = 'data-off="engagement"'
KEPT = "Object.keys(localStorage)"
MARKETING = "context_consent_category_preferences_marketing"
ANALYTICS = "context_consent_category_preferences_analytics"
OPTS_OUT = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})"
DOES_NOT_TRACK = "Object.defineProperty(Navigator.prototype, 'doNotTrack', {get: () => '1'})"
DAILY_ID = re.compile(r"[0-9a-f]{32}")
FROM_AN_AD = "?utm_source=ad&gclid=G1"


async def test_global_privacy_control_is_an_answer_that_no_banner_overrules(
    shop: Shop, page: Page, context: BrowserContext
):
    await context.set_extra_http_headers({"Sec-GPC": "1"})
    await page.add_init_script(OPTS_OUT)
    await page.goto(shop.write(tag(attributes=QUIET)) + FROM_AN_AD)
    await shop.until_rows(1, "pages")
    await page.evaluate("analytics.consent(true), analytics.track('Agreed'), analytics.flush()")
    agreed = await shop.until_event("Agreed")
    (view,) = await shop.until_rows(1, "pages")

    for row in (view, agreed):
        assert (row[ANALYTICS], row[MARKETING]) == (True, False)
        assert [column for column in row if "attribution" in column and row[column] is not None] == []
    assert "hw_touch" not in await page.evaluate(KEPT)


async def test_the_header_alone_is_obeyed_by_the_gateway(shop: Shop, page: Page, context: BrowserContext):
    await context.set_extra_http_headers({"Sec-GPC": "1"})
    await page.goto(shop.write(tag(attributes=QUIET)))
    (view,) = await shop.until_rows(1, "pages")

    assert (view[ANALYTICS], view[MARKETING]) == (True, False)


async def test_do_not_track_is_obeyed_where_the_owner_wants_it(shop: Shop, page: Page, context: BrowserContext):
    await context.set_extra_http_headers({"DNT": "1"})
    await page.add_init_script(DOES_NOT_TRACK)
    await page.clock.install()
    await page.goto(shop.write(tag("dnt", QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.track('Refused'), analytics.flush()")
    await page.clock.run_for(60_000)
    await page.evaluate("fetch('/empty')")

    assert [post for post in shop.relay.posts if '"dnt-key"' in post["body"]] == []
    assert await page.evaluate(KEPT) == []
    assert await context.cookies() == []


async def test_the_header_of_do_not_track_alone_is_obeyed_by_the_gateway(
    shop: Shop, page: Page, context: BrowserContext
):
    async def withheld() -> float:
        return await shop.daemon.metric("headwater_events_withheld_total", source="dnt", reason="dnt")

    before = await withheld()
    await context.set_extra_http_headers({"DNT": "1"})
    await page.goto(shop.write(tag("dnt", QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("new Promise((done) => analytics.track('Refused', done))")

    assert await withheld() - before == 2
    assert await context.cookies() == []
    await context.set_extra_http_headers({})
    await page.evaluate("new Promise((done) => analytics.track('Tracked', done))")
    await shop.until_event("Tracked")
    assert await shop.events() == ["Tracked"]
    assert await shop.rows("pages") == []


async def test_do_not_track_is_no_answer_where_the_owner_did_not_ask_for_it(
    shop: Shop, page: Page, context: BrowserContext
):
    await context.set_extra_http_headers({"DNT": "1"})
    await page.add_init_script(DOES_NOT_TRACK)
    await page.goto(shop.write(tag(attributes=QUIET)))

    await shop.until_rows(1, "pages")


@pytest.mark.parametrize("source", ["cookieless", "lite"])
async def test_without_cookies_a_visitor_is_the_same_all_day_and_nothing_is_kept(
    shop: Shop, page: Page, context: BrowserContext, source: str
):
    a_tag = tag(source, f'{QUIET} data-mode="cookieless"')
    shop.write(a_tag, "second")
    await page.goto(shop.write(a_tag))
    await shop.until_rows(1, "pages")
    await page.goto(shop.url("second"))
    first, second = await shop.until_rows(2, "pages")

    assert first["anonymous_id"] == second["anonymous_id"]
    assert DAILY_ID.fullmatch(first["anonymous_id"])
    assert await page.evaluate(f"[{KEPT}, Object.keys(sessionStorage), document.cookie]") == [[], [], ""]
    assert await context.cookies() == []


async def test_another_browser_is_another_visitor(shop: Shop, page: Page, browser: Browser):
    url = shop.write(tag("cookieless", QUIET))
    await page.goto(url)
    (first,) = await shop.until_rows(1, "pages")
    other = await browser.new_context(user_agent="Another/1.0")
    await (await other.new_page()).goto(url)
    _, second = await shop.until_rows(2, "pages")
    await other.close()

    assert first["anonymous_id"] != second["anonymous_id"]


@pytest.mark.parametrize("call", ["reset()", "setAnonymousId('chosen')", "identify('u1'), analytics.identify('u2')"])
async def test_without_cookies_no_call_sets_one(shop: Shop, page: Page, context: BrowserContext, call: str):
    await page.goto(shop.write(tag("cookieless", QUIET)))
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate(f"analytics.{call}, analytics.track('After'), analytics.flush()")
    after = await shop.until_event("After")

    assert after["anonymous_id"] == view["anonymous_id"]
    assert await page.evaluate(KEPT) == []
    assert await context.cookies() == []


async def test_without_cookies_a_visitor_who_agrees_gets_one(shop: Shop, page: Page, context: BrowserContext):
    url = shop.write(tag("cookieless", QUIET))
    await page.goto(url)
    await shop.until_rows(1, "pages")
    await page.evaluate("analytics.consent(true), analytics.track('Agreed'), analytics.flush()")
    agreed = await shop.until_event("Agreed")
    await page.goto(url)
    nameless, named = await shop.until_rows(2, "pages")

    (cookie,) = await context.cookies()
    assert nameless["anonymous_id"] != agreed["anonymous_id"]
    assert agreed["anonymous_id"] == named["anonymous_id"] == cookie["value"].split(".")[0]
    assert "hw_id" in await page.evaluate(KEPT)
