"""Consent: nothing happens before it is given, all of it afterwards, and nothing is left when it is taken back."""

import asyncio

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.e2e.browser.harness.shop import SCRIPT, Row, Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = 'data-off="engagement"'
CONSENT = "context_consent_category_preferences_"
KEPT = "Object.keys(localStorage)"


async def wait_a_minute(page: Page) -> None:
    """Whatever a page would send by itself is sent; needs an installed clock."""
    await page.clock.run_for(60_000)
    await page.evaluate("fetch('/empty')")


def categories(row: Row) -> dict[str, bool]:
    """What a row says of the visitor's choice."""
    said = {column.removeprefix(CONSENT): value for column, value in row.items() if column.startswith(CONSENT)}
    return {category: value for category, value in said.items() if value is not None}


def sent(shop: Shop, source: str) -> list[str]:
    """What the gateway was sent of this source's pages, without the last words of another test's."""
    bodies = [post["body"] for post in shop.relay.posts if f'"{source}-key"' in post["body"]]
    return [body for body in bodies if shop.folder in body or '"batch":[]' in body]


async def has_no_cookie(context: BrowserContext) -> bool:
    return await context.cookies() == []


async def test_before_consent_nothing_leaves_and_nothing_is_kept(shop: Shop, page: Page, context: BrowserContext):
    await page.clock.install()
    shop.write("a page without the script", "next")
    body = "<a href='next'>next</a><script>window.analytics = [['identify', 'u1'], ['track', 'Early']]</script>"
    await page.goto(shop.write(body + tag("consent")) + "?utm_source=news")
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.reset(), analytics.track('Later'), analytics.flush()")
    await wait_a_minute(page)

    assert await page.evaluate(f"[{KEPT}, document.cookie]") == [[], ""]
    await page.click("a")
    await page.wait_for_url("**/next")
    assert await context.cookies() == []
    assert sent(shop, "consent") == []


async def test_the_first_fifty_are_held_and_all_arrive_in_order_once_consent_is_given(shop: Shop, page: Page):
    await page.goto(shop.write(tag("consent", QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("for (let i = 0; i < 60; i++) analytics.track('E' + i)")

    await page.evaluate("analytics.consent(true)")
    (view,) = await shop.until_rows(1, "pages")
    tracks = await shop.until_rows(49)

    assert [row["event_text"] for row in tracks] == [f"E{n}" for n in range(49)]
    assert all(categories(row) == {"analytics": True, "marketing": True} for row in (view, *tracks))
    assert {row["anonymous_id"] for row in tracks} == {view["anonymous_id"]}


async def test_consent_is_asked_for_once(shop: Shop, page: Page, context: BrowserContext):
    url = shop.write(tag("consent", QUIET))
    await page.goto(url)
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.consent(true)")
    await shop.until_rows(1, "pages")
    await page.goto(url)
    first, second = await shop.until_rows(2, "pages")

    (cookie,) = await context.cookies()
    assert first["anonymous_id"] == second["anonymous_id"] == cookie["value"].split(".")[0]
    assert await page.evaluate("analytics.consent()") == {"analytics": True, "marketing": True}


async def test_a_call_that_was_queued_counts_as_an_answer(shop: Shop, page: Page):
    queued = "['track', 'Early'], ['consent', {analytics: true, preferences: true}]"

    await page.goto(shop.write(f"<script>window.analytics = [{queued}]</script>" + tag("consent", QUIET)))

    assert categories(await shop.until_event("Early")) == {"analytics": True, "marketing": True, "preferences": True}


async def test_each_event_tells_what_held_when_it_was_made(shop: Shop, page: Page):
    await page.goto(shop.write(tag(attributes=QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("""() => {
        analytics.track('Before');
        analytics.consent({marketing: false, preferences: true});
        analytics.track('After');
        analytics.consent(true);
        analytics.track('In The End');
    }""")
    before, after, end = await shop.until_rows(3)

    assert categories(before) == {"analytics": True, "marketing": True}
    assert categories(after) == {"analytics": True, "marketing": False, "preferences": True}
    assert categories(end) == {"analytics": True, "marketing": True, "preferences": True}


@pytest.mark.parametrize("source", ["consent", "cookieless", "web"])
async def test_withdrawal_erases_all_but_the_answer_and_stops(
    shop: Shop, page: Page, context: BrowserContext, source: str
):
    await page.clock.install()
    await page.goto(shop.write(tag(source, QUIET)) + "?utm_source=news")
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.consent(true), analytics.identify('u1'), analytics.flush()")
    await shop.until_rows(1, "identifies")
    assert len(await context.cookies()) == 1

    await page.evaluate("analytics.track('Not sent yet'), analytics.consent(false)")
    await until(lambda: has_no_cookie(context), "the cookie is gone")
    await page.evaluate("analytics.track('Refused'), analytics.identify('u2'), analytics.flush()")
    await wait_a_minute(page)
    await shop.settled()

    assert await page.evaluate(KEPT) == ["hw-consent"]
    assert await context.cookies() == []
    assert await shop.events() == []
    assert len(await shop.rows("identifies")) == 1


async def test_a_batch_under_way_while_consent_is_withdrawn_brings_no_cookie_back(
    shop: Shop, page: Page, context: BrowserContext
):
    held: list[Route] = []
    await page.goto(shop.write(tag("plain")))
    await page.wait_for_function("window.analytics?.flush")
    await page.route(f"**{SCRIPT}", lambda route: held.append(route) or asyncio.sleep(0))
    await page.route("**/plain/**", lambda route: held.append(route) or asyncio.sleep(0))

    await page.evaluate("analytics.track('A'), void analytics.flush()")
    await until(lambda: len(held) == 1, "the batch is under way")
    await page.evaluate("analytics.consent(false)")
    await until(lambda: len(held) == 2, "the order to erase follows")
    for late in (1, 0):
        await held[late].continue_()
    await until(lambda: len(held) == 3, "the late answer is followed by another order")
    await held[2].continue_()

    await until(lambda: has_no_cookie(context), "the cookie is gone")
    assert await page.evaluate(KEPT) == ["hw-consent"]


async def test_a_first_refusal_is_remembered_and_told_to_nobody(shop: Shop, page: Page):
    await page.clock.install()
    url = shop.write(tag("consent", QUIET))
    for _ in range(2):
        await page.goto(url)
        await page.wait_for_function("window.analytics?.flush")
        await page.evaluate("analytics.track('Before'), analytics.consent(false), analytics.track('After')")
        await wait_a_minute(page)

    assert await page.evaluate(KEPT) == ["hw-consent"]
    assert await page.evaluate("analytics.consent()") == {"analytics": False, "marketing": False}
    assert sent(shop, "consent") == []


@pytest.mark.parametrize("source", ["consent", "web"])
async def test_an_answer_in_one_tab_holds_in_all(shop: Shop, page: Page, context: BrowserContext, source: str):
    url = shop.write(tag(source, QUIET))
    other = await context.new_page()
    for each in (page, other):
        await each.goto(url)
        await each.wait_for_function("window.analytics?.flush")
    await other.evaluate("analytics.track('Held')")

    await page.evaluate("analytics.consent(true)")
    await other.wait_for_function("analytics.consent().analytics === true")
    await other.evaluate("analytics.flush()")
    await shop.until_event("Held")
    await page.evaluate("analytics.consent(false)")
    await other.wait_for_function("analytics.consent().analytics === false")
    await until(lambda: has_no_cookie(context), "the cookie is gone")
    await other.evaluate("analytics.track('Refused'), analytics.flush()")
    await page.evaluate("analytics.flush()")
    await shop.settled()

    assert await shop.events() == ["Held"]
    assert await other.evaluate(KEPT) == ["hw-consent"]
    assert await context.cookies() == []


@pytest.mark.parametrize("source", ["web", "cookieless"])
async def test_where_silence_is_consent_a_refusal_is_remembered(
    shop: Shop, page: Page, context: BrowserContext, source: str
):
    await page.clock.install()
    url = shop.write(tag(source, QUIET))
    await page.goto(url)
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.consent(false)")
    await until(lambda: any('"erase"' in body for body in sent(shop, source)), "the cookie is to be taken away")
    before = sent(shop, source)
    await page.goto(url)
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.track('Refused')")
    await wait_a_minute(page)

    assert await page.evaluate(KEPT) == ["hw-consent"]
    assert await context.cookies() == []
    assert sent(shop, source) == before
    await page.evaluate("analytics.consent(true), analytics.track('Agreed'), analytics.flush()")
    await shop.until_event("Agreed")
    assert await shop.events() == ["Agreed"]


async def test_a_page_in_the_back_forward_cache_learns_that_consent_was_withdrawn(
    shop: Shop, page: Page, context: BrowserContext
):
    kept = "<script>addEventListener('pageshow', ({persisted}) => (window.isKept = persisted))</script>"
    shop.write(tag("consent", QUIET), "next")
    await page.goto(shop.write(f"<a href='next'>next</a>{kept}{tag('consent', QUIET)}"))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.consent(true)")
    await page.click("a")
    await shop.until_rows(2, "pages")
    await page.evaluate("analytics.consent(false)")
    await until(lambda: has_no_cookie(context), "the cookie is gone")
    before = sent(shop, "consent")

    await page.evaluate("setTimeout(() => history.back()); null")
    await page.wait_for_function("window.isKept === true")
    await page.evaluate("analytics.track('Refused'), analytics.flush()")

    assert await page.evaluate(KEPT) == ["hw-consent"]
    assert await context.cookies() == []
    assert sent(shop, "consent") == before


async def test_the_gateway_relies_on_no_script(shop: Shop):
    def event(name: str, consent: dict[str, object]) -> dict[str, object]:
        page = {"path": f"{shop.folder}by-hand"}
        return {"type": "track", "event": name, "anonymousId": "by-hand", "context": {"page": page, "consent": consent}}

    async def withheld() -> float:
        return await shop.daemon.metric("headwater_events_withheld_total", source="consent", reason="consent")

    before = await withheld()
    batch = [
        event("Unasked", {}),
        event("Refused", {"categoryPreferences": {"analytics": False}}),
        event("Not Quite", {"categoryPreferences": {"analytics": "perhaps", "marketing": True}}),
        event("Agreed", {"categoryPreferences": {"analytics": True}}),
    ]
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"http://127.0.0.1:{shop.port}{SCRIPT}", json={"writeKey": "consent-key", "batch": batch}) as answer,
    ):
        assert answer.status == 200
    await shop.until_event("Agreed")
    await shop.settled()

    assert await shop.events() == ["Agreed"]
    assert await withheld() - before == 3
