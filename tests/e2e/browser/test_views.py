"""When a page counts as seen: once for each that a visitor really looked at, whatever loads, wraps or restores it."""

import pytest
from playwright.async_api import Page

from gateway.script import load_assets
from tests.e2e.browser.harness.front import PREFIX
from tests.e2e.browser.harness.shop import SCRIPT, Row, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

FORMER_NAME = f"{PREFIX}/zz9d/q2w8er"
"""Another address of the same script."""
QUIET = 'data-off="engagement"'
"""Where only calls and views matter."""
AHEAD = """
    window.isAhead = true;
    Object.defineProperty(document, 'prerendering', {get: () => window.isAhead});
    window.activate = () => {
        window.isAhead = false;
        document.dispatchEvent(new Event('prerenderingchange'));
    };
"""
IN_BACKGROUND = """
    let isHidden = true;
    Object.defineProperty(document, 'hidden', {get: () => isHidden});
    Object.defineProperty(document, 'visibilityState', {get: () => (isHidden ? 'hidden' : 'visible')});
    window.show = (isShown) => {
        isHidden = !isShown;
        document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
    };
"""


def snippet(calls: str) -> str:
    """The inline stub of the documentation, and what the page calls right after it."""
    stub = load_assets().snippet.replace("SCRIPT_URL", f"{SCRIPT}.js").replace("WRITE_KEY", "web-key")
    return f"<script>{stub}</script><script>{calls}</script>"


async def views_at_the_end(shop: Shop, page: Page) -> list[Row]:
    """All views that there are once nothing is on its way any more."""
    await page.evaluate("analytics.track('End'), analytics.flush()")
    await shop.until_event("End")
    await shop.settled()
    return await shop.rows("pages")


def sent(shop: Shop) -> list[str]:
    """What the gateway was sent of this test's pages."""
    return [post["body"] for post in shop.relay.posts if shop.folder in post["body"]]


def names(views: list[Row], shop: Shop) -> list[str]:
    return [view["path"].removeprefix(shop.folder) for view in views]


async def test_calls_before_the_snippets_script_is_there_are_replayed_in_order(shop: Shop, page: Page):
    calls = (
        "analytics.identify('u1', {plan: 'pro'}); analytics.track('First'); analytics.track('Second', {n: 2});"
        "analytics.ready(() => analytics.track('Third'))"
    )

    await page.goto(shop.write(snippet(calls)))
    tracks = await shop.until_rows(3)

    assert [(row["event_text"], row["user_id"]) for row in tracks] == [
        ("First", "u1"),
        ("Second", "u1"),
        ("Third", "u1"),
    ]
    (identify,) = await shop.until_rows(1, "identifies")
    assert (identify["user_id"], identify["plan"]) == ("u1", "pro")
    assert identify["id"] < tracks[0]["id"]
    assert names(await shop.until_rows(1, "pages"), shop) == ["index"]


async def test_calls_in_a_plain_array_are_replayed_and_it_goes_on_working(shop: Shop, page: Page):
    early = "<script>window.early = window.analytics = []; early.push(['track', 'Early'], ['track', 'Next'])</script>"

    await page.goto(shop.write(early + tag(attributes=QUIET)))
    await shop.until_rows(2)
    await page.evaluate("early.push(['track', 'Pushed']), early.track('Called'), early.flush()")
    await shop.until_rows(4)

    assert await shop.events() == ["Early", "Next", "Pushed", "Called"]
    assert len(await views_at_the_end(shop, page)) == 1


async def test_a_second_tag_counts_nothing_twice(shop: Shop, page: Page):
    tags = tag(attributes=QUIET) * 2 + tag(attributes=QUIET, script=FORMER_NAME)

    await page.goto(shop.write("<button data-track='Pressed'>press</button>" + tags))
    await page.wait_for_load_state()
    await page.click("button")
    await page.evaluate("analytics.track('Once'), history.pushState({}, '', 'second')")
    views = await shop.until_rows(2, "pages")

    assert names(await views_at_the_end(shop, page), shop) == names(views, shop) == ["index", "second"]
    assert await shop.events() == ["Pressed", "Once", "End"]


async def test_each_step_in_an_app_of_one_page_is_a_view_with_its_own_title_from_the_view_before(
    shop: Shop, page: Page
):
    titles = "<script>addEventListener('popstate', () => (document.title = 'Back'))</script>"

    await page.goto(shop.write(titles + tag(attributes=QUIET)) + "?q=1#top")
    await shop.until_rows(1, "pages")
    await page.evaluate("history.pushState({}, '', 'second'), (document.title = 'Second')")
    await shop.until_rows(2, "pages")
    await page.evaluate("history.replaceState({}, '', 'third'), (document.title = 'Third')")
    await shop.until_rows(3, "pages")
    await page.evaluate("history.back()")
    first, second, third, back = await shop.until_rows(4, "pages")

    assert [view["title"] for view in (first, second, third, back)] == ["index", "Second", "Third", "Back"]
    assert [view["url"] for view in (first, second, third, back)] == [
        shop.url("index?q=1"),
        shop.url("second"),
        shop.url("third"),
        shop.url("index?q=1"),
    ]
    assert first["referrer"] == ""
    assert [view["referrer"] for view in (second, third, back)] == [view["url"] for view in (first, second, third)]


async def test_a_change_of_the_query_or_the_fragment_is_no_view(shop: Shop, page: Page):
    await page.goto(shop.write(tag(attributes=QUIET)))
    await page.evaluate("""() => {
        history.replaceState({scroll: 1}, '', location.href);
        history.replaceState({}, '', '?page=2');
        history.pushState({}, '', '?page=3');
        history.pushState({}, '', '#reviews');
        location.hash = 'questions';
    }""")

    assert names(await views_at_the_end(shop, page), shop) == ["index"]


async def test_a_router_that_wraps_history_keeps_its_chain_its_answers_and_its_errors(shop: Shop, page: Page):
    before = """<script>
        window.chain = [];
        const native = history.pushState;
        history.pushState = function (...args) { chain.push('before'); native.apply(this, args); return 'answer'; };
    </script>"""
    after = """() => {
        const patched = history.pushState;
        history.pushState = function (...args) { chain.push('after'); return patched.apply(this, args); };
        const answer = history.pushState({n: 1}, '', 'second');
        const errors = [];
        for (const args of [[() => {}, ''], [{}, '', 'http://elsewhere.test/']])
            try { history.pushState(...args); } catch (error) { errors.push(error.name); }
        return [answer, history.replaceState({n: 2}, ''), history.state, chain, errors];
    }"""
    await page.goto(shop.write(before + tag(attributes=QUIET)))
    await shop.until_rows(1, "pages")

    answer, native_answer, state, chain, errors = await page.evaluate(after)

    assert (answer, native_answer, state) == ("answer", None, {"n": 2})
    assert chain == ["after", "before"] * 3
    assert errors == ["DataCloneError", "SecurityError"]
    assert names(await views_at_the_end(shop, page), shop) == ["index", "second"]


@pytest.mark.parametrize("source", ["web", "chunks"])
async def test_the_pages_own_errors_reach_the_page_and_the_developer_as_ever(
    shop: Shop, page: Page, complaints: list[str], source: str
):
    body = """<button onclick="throw new Error('of the button')">press</button><script>
        window.caught = [];
        addEventListener('error', (event) => caught.push([event.message, event.defaultPrevented]));
        addEventListener('unhandledrejection', (event) => caught.push([event.reason.message, event.defaultPrevented]));
    </script>"""
    await page.goto(shop.write(body + tag(source, QUIET)))
    await shop.until_rows(1, "pages")

    await page.click("button")
    await page.evaluate("void Promise.reject(new Error('of a promise'))")
    await page.wait_for_function("caught.length === 2")

    assert await page.evaluate("caught") == [["Uncaught Error: of the button", False], ["of a promise", False]]
    assert complaints == ["of the button", "of a promise"]


async def test_a_page_that_comes_back_from_the_back_forward_cache_is_one_view_and_goes_on(shop: Shop, page: Page):
    kept = "<script>addEventListener('pageshow', ({persisted}) => (window.isKept = persisted))</script>"
    shop.write(tag(attributes=QUIET), "next")
    await page.goto(shop.write(f"<a href='next'>next</a>{kept}{tag(attributes=QUIET)}"))
    await shop.until_rows(1, "pages")
    await page.evaluate("analytics.track('Before')")
    await page.click("a")
    await shop.until_rows(2, "pages")

    await page.evaluate("setTimeout(() => history.back()); null")
    await page.wait_for_function("window.isKept === true")
    await page.evaluate("analytics.track('After'), analytics.flush()")
    await shop.until_event("After")

    assert names(await views_at_the_end(shop, page), shop) == ["index", "next", "index"]
    assert await shop.events() == ["Before", "After", "End"]


async def test_a_page_made_ahead_sends_and_keeps_nothing_until_somebody_sees_it(shop: Shop, page: Page):
    await page.clock.install()
    await page.add_init_script(AHEAD)
    await page.goto(shop.write("<script>window.analytics = [['track', 'Early']]</script>" + tag(attributes=QUIET)))
    await page.wait_for_function("analytics.initialize")
    await page.clock.run_for(60_000)
    await page.evaluate("fetch('/empty')")
    assert sent(shop) == []
    assert await page.evaluate("Object.keys(localStorage)") == []

    await page.evaluate("activate()")

    assert names(await views_at_the_end(shop, page), shop) == ["index"]
    assert await shop.events() == ["Early", "End"]


async def test_a_tab_in_the_background_is_a_view_once_somebody_looks_at_it(shop: Shop, page: Page):
    await page.add_init_script(IN_BACKGROUND)
    await page.goto(shop.write(tag(attributes=QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.track('In the background'), analytics.flush()")
    await shop.until_event("In the background")
    await shop.settled()
    assert await shop.rows("pages") == []

    await page.evaluate("show(true), show(false), show(true)")

    assert names(await views_at_the_end(shop, page), shop) == ["index"]


async def test_a_background_tab_that_moves_on_before_it_is_seen_is_a_view_of_where_it_ends(shop: Shop, page: Page):
    await page.add_init_script(IN_BACKGROUND)
    await page.goto(shop.write(tag(attributes=QUIET)))
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("history.replaceState({}, '', 'welcome')")
    await page.evaluate("new Promise((done) => setTimeout(done))")

    await page.evaluate("show(true)")

    assert names(await views_at_the_end(shop, page), shop) == ["welcome"]


async def test_a_page_that_calls_page_itself_is_counted_by_that_alone(shop: Shop, page: Page):
    await page.goto(
        shop.write("<script>window.analytics = [['page', 'Docs', 'Home']]</script>" + tag(attributes=QUIET))
    )
    await shop.until_rows(1, "pages")
    await page.evaluate("history.pushState({}, '', 'second'), analytics.page('Second')")

    views = await views_at_the_end(shop, page)

    assert [(view["category"], view["name"]) for view in views] == [("Docs", "Home"), (None, "Second")]
    assert names(views, shop) == ["index", "second"]
