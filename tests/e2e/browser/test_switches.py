"""Each thing that a page does by itself can be switched off, by its tag or by the source's settings, and alone."""

import pytest
from playwright.async_api import Page

from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

START_S = 1_800_000_000
BODY = """
    <a id="away" href="http://other.test/">away</a>
    <a id="file" href="prices.pdf">prices</a>
    <button data-track="Declared">press</button>
    <form id="order"><button id="send">send</button></form>
    <script>
        addEventListener('click', (event) => event.target.localName === 'a' && event.preventDefault());
        addEventListener('submit', (event) => event.preventDefault());
    </script>
"""
"""Nothing on it leads away, so that all is done on one page."""
LEAVE = """
    Object.defineProperty(document, 'hidden', {get: () => true});
    document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
"""
COLUMNS = {
    "session": "context_session_id",
    "attribution": "context_attribution_first_campaign_source",
    "hints": "context_user_agent_data_platform",
}
EVERYTHING = {
    "view",
    "view in the app",
    "Link Clicked",
    "File Downloaded",
    "Form Submitted",
    "Declared",
    "Page Engagement",
    *COLUMNS,
}


async def do_everything(shop: Shop, page: Page, a_tag: str) -> set[str]:
    """What one page led to: its views, its tracks, and what is known beside them."""
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)
    await page.goto(shop.write(BODY + a_tag) + "?utm_source=news")
    await page.wait_for_function("window.analytics?.flush", polling=50)
    await page.clock.run_for(2_000)
    for element in ("#away", "#file", "[data-track]", "#send"):
        await page.click(element)
    await page.evaluate("history.pushState({}, '', 'second')")
    await page.clock.run_for(2_000)
    await page.evaluate(LEAVE)
    await page.evaluate("analytics.track('End'), analytics.flush()")
    end = await shop.until_event("End")
    await shop.settled()
    views = {"index": "view", "second": "view in the app"}
    return (
        {views[row["path"].removeprefix(shop.folder)] for row in await shop.rows("pages")}
        | set(await shop.events()) - {"End"}
        | {word for word, column in COLUMNS.items() if end.get(column) is not None}
    )


async def test_by_itself_a_page_tells_all_of_it(shop: Shop, page: Page):
    assert await do_everything(shop, page, tag()) == EVERYTHING


@pytest.mark.parametrize(
    ("feature", "missing"),
    [
        ("page", {"view", "view in the app"}),
        ("history", {"view in the app"}),
        ("links", {"Link Clicked"}),
        ("downloads", {"File Downloaded"}),
        ("forms", {"Form Submitted"}),
        ("attributes", {"Declared"}),
        ("engagement", {"Page Engagement"}),
        ("session", {"session"}),
        ("attribution", {"attribution"}),
        ("hints", {"hints"}),
    ],
)
async def test_what_the_tag_switches_off_is_missing_and_nothing_else(
    shop: Shop, page: Page, feature: str, missing: set[str]
):
    told = await do_everything(shop, page, tag(attributes=f'data-off="{feature}"'))

    assert EVERYTHING - told == missing


async def test_the_sources_settings_switch_off_without_a_word_on_the_page(shop: Shop, page: Page):
    told = await do_everything(shop, page, tag("plain"))

    assert EVERYTHING - told == {"view", "view in the app", "Page Engagement"}


async def test_several_words_switch_off_several_things(shop: Shop, page: Page):
    told = await do_everything(shop, page, tag(attributes='data-off="links forms session"'))

    assert EVERYTHING - told == {"Link Clicked", "Form Submitted", "session"}
