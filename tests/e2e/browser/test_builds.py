"""The small build for sites that want little, and the parts that are loaded later for those that want more."""

import json
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browser.harness.shop import Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = 'data-off="engagement"'
LITE = tag("lite")


async def properties(shop: Shop, name: str) -> list[dict[str, Any]]:
    """Of all tracks of that name."""
    return [json.loads(row["properties"]) for row in await shop.rows() if row["event_text"] == name]


async def test_the_small_build_counts_views_and_tracks(shop: Shop, page: Page, context: BrowserContext):
    queued = "<script>window.analytics = [['track', 'Early', {n: 1}]]</script>"
    await page.goto(shop.write(queued + LITE + LITE) + "?q=1#top")
    await shop.until_rows(1, "pages")
    await page.evaluate("""() => {
        analytics.track('Called', {n: 2});
        analytics.push(['track', 'Pushed']);
        history.replaceState({}, '', '?q=2');
        document.title = 'Second';
        history.pushState({}, '', 'second');
    }""")
    first, second = await shop.until_rows(2, "pages")
    early, called, pushed = await shop.until_rows(3)

    assert [(view["url"], view["title"], view["referrer"]) for view in (first, second)] == [
        (shop.url("index?q=1"), "index", ""),
        (shop.url("second"), "Second", shop.url("index?q=1")),
    ]
    assert (early["event_text"], json.loads(early["properties"])) == ("Early", {"n": 1})
    assert (called["event_text"], json.loads(called["properties"])) == ("Called", {"n": 2})
    assert pushed["event_text"] == "Pushed"
    assert await page.evaluate("Object.keys(localStorage)") == []


async def test_the_small_build_knows_a_visitor_by_the_cookie(shop: Shop, page: Page, context: BrowserContext):
    url = shop.write(LITE)
    await page.goto(url)
    await shop.until_rows(1, "pages")
    await page.goto(url)
    first, second = await shop.until_rows(2, "pages")

    (cookie,) = await context.cookies()
    assert first["anonymous_id"] == second["anonymous_id"] == cookie["value"].split(".")[0]


async def test_the_small_build_leaves_views_to_a_page_that_makes_its_own(shop: Shop, page: Page):
    queued = "<script>window.analytics = [['page', 'Home', {section: 'a'}]]</script>"
    await page.goto(shop.write(queued + LITE))
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate("history.pushState({}, '', 'second'), new Promise((done) => setTimeout(done))")
    await page.evaluate("analytics.track('End')")
    await shop.until_event("End")

    assert (view["name"], view["section"], view["title"]) == ("Home", "a", "index")
    assert len(await shop.rows("pages")) == 1


async def test_the_small_build_keeps_a_routers_answers(shop: Shop, page: Page):
    router = """<script>
        const native = history.pushState;
        history.pushState = function (...args) { native.apply(this, args); return 'answer'; };
    </script>"""
    await page.goto(shop.write(router + LITE))
    await shop.until_rows(1, "pages")

    assert await page.evaluate("history.pushState({}, '', 'second')") == "answer"
    await shop.until_rows(2, "pages")


async def test_the_small_build_waits_until_a_page_made_ahead_is_seen(shop: Shop, page: Page):
    await page.add_init_script("""
        window.isAhead = true;
        Object.defineProperty(document, 'prerendering', {get: () => window.isAhead});
    """)
    await page.goto(shop.write("<script>window.analytics = [['track', 'Early']]</script>" + LITE))
    await page.wait_for_load_state("networkidle")
    assert [post for post in shop.relay.posts if shop.folder in post["body"]] == []

    await page.evaluate("window.isAhead = false, document.dispatchEvent(new Event('prerenderingchange'))")

    await shop.until_event("Early")
    await shop.until_rows(1, "pages")


async def test_web_vitals_are_told_once_also_on_the_way_out(shop: Shop, page: Page):
    shop.write("a page without the script, on which nothing is sent later", "next")
    body = "<h1>Lanterns</h1><button onclick='this.textContent = Date.now()'>press</button> <a href='next'>next</a>"
    await page.goto(shop.write(body + tag("chunks", QUIET)))
    await page.wait_for_function("performance.getEntriesByType('resource').length >= 3")
    await page.click("button")
    await page.click("a")
    await page.wait_for_url("**/next")

    async def are_all_there() -> bool:
        return len(await properties(shop, "Web Vital")) >= 5

    await until(are_all_there, "all five are told", every_s=0.2, patience_s=20)
    vitals = await properties(shop, "Web Vital")

    assert sorted(vital["metric"] for vital in vitals) == ["CLS", "FCP", "INP", "LCP", "TTFB"]
    assert {vital["rating"] for vital in vitals} <= {"good", "needs-improvement", "poor"}
    assert {vital["navigation_type"] for vital in vitals} == {"navigate"}
    assert all(isinstance(vital["value"], int | float) for vital in vitals)


async def test_errors_are_told_once_each_and_ten_a_page(shop: Shop, page: Page):
    await page.goto(shop.write(tag("chunks", QUIET)))
    await page.wait_for_function("performance.getEntriesByType('resource').length >= 3")
    await page.evaluate("""() => {
        Promise.reject('a word');
        addEventListener('unhandledrejection', () => {
            for (let i = 0; i < 12; i++)
                for (let again = 0; again < 3; again++)
                    setTimeout(() => { throw new TypeError('broken ' + i) });
            setTimeout(() => analytics.track('End'));
        });
    }""")
    await shop.until_event("End")
    errors = await properties(shop, "Error")

    *broken, rejected = sorted(errors, key=lambda error: error["name"], reverse=True)
    assert [error["message"] for error in broken] == [f"broken {n}" for n in range(9)]
    assert {error["name"] for error in broken} == {"TypeError"}
    assert "TypeError: broken 0" in broken[0]["stack"]
    assert {"source", "line", "column"} <= set(broken[0])
    assert (rejected["message"], rejected.get("stack")) == ("a word", None)
