"""A visit: when it begins and ends, how long a page was looked at in it, and with what."""

import json

import pytest
from playwright.async_api import Page

from tests.e2e.browser.harness.shop import Row, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

START_S = 1_800_000_000
START_MS = (START_S + 1) * 1000
MINUTE_MS = 60_000
LONG = "<style>body { margin: 0 }</style><div style='height: 3600px'></div>"
"""Four times as high as the window."""
ATTENTION = """
    let isHidden = false;
    let hasFocus = true;
    Object.defineProperty(document, 'hidden', {get: () => isHidden});
    document.hasFocus = () => hasFocus;
    window.show = (isShown) => {
        isHidden = !isShown;
        document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
    };
    window.focusOn = (isFocused) => {
        hasFocus = isFocused;
        window.dispatchEvent(new Event(isFocused ? 'focus' : 'blur'));
    };
"""


async def open_at_a_standstill(page: Page, url: str) -> None:
    """From here on the page's clock moves only when told to."""
    await page.clock.install(time=START_S)
    await page.clock.pause_at(START_S + 1)
    await page.add_init_script(ATTENTION)
    await page.goto(url)
    await page.wait_for_function("window.analytics?.flush", polling=50)


async def track_after(page: Page, minutes: float, name: str) -> None:
    await page.clock.run_for(int(minutes * MINUTE_MS))
    await page.evaluate(f"analytics.track('{name}'), analytics.flush()")


def sessions(rows: list[Row]) -> list[tuple[str, int, bool | None, int]]:
    """Of each event: minutes from the start of the test to that of its session, whether it began one, which it was."""
    return [
        (
            row["event_text"],
            (row["context_session_id"] - START_MS) // MINUTE_MS,
            row["context_session_start"],
            row["context_session_count"],
        )
        for row in rows
    ]


async def engagement(shop: Shop, count: int = 1) -> list[tuple[str, int, int]]:
    """Of each report: the page, the milliseconds, and how far down in percent."""
    rows = [(row, json.loads(row["properties"])) for row in await shop.until_rows(count)]
    assert {row["event_text"] for row, _ in rows} == {"Page Engagement"}
    assert all((row["context_page_url"], row["context_page_path"]) == (told["url"], told["path"]) for row, told in rows)
    return [(told["path"].removeprefix(shop.folder), told["engaged_ms"], told["scroll_percent"]) for _, told in rows]


async def test_a_session_ends_after_half_an_hour_without_an_event(shop: Shop, page: Page):
    await open_at_a_standstill(page, shop.write(tag(attributes='data-off="engagement page"')))

    for minutes, name in ((0, "A"), (29, "B"), (29.5, "C"), (30.5, "D"), (1, "E")):
        await track_after(page, minutes, name)

    assert sessions(await shop.until_rows(5)) == [
        ("A", 0, True, 1),
        ("B", 0, None, 1),
        ("C", 0, None, 1),
        ("D", 89, True, 2),
        ("E", 89, None, 2),
    ]


async def test_a_session_ends_after_a_day_however_busy_it_is(shop: Shop, page: Page):
    await open_at_a_standstill(page, shop.write(tag(attributes='data-off="engagement page"')))

    for count in range(51):
        await track_after(page, 29, f"E{count}")
    rows = sessions(await shop.until_rows(51))

    assert rows[0] == ("E0", 29, True, 1)
    assert rows[49] == ("E49", 29, None, 1)
    assert rows[50] == ("E50", 29 + 50 * 29, True, 2)


async def test_a_session_goes_on_from_page_to_page_and_counts_on_in_the_next(shop: Shop, page: Page):
    url = shop.write(tag(attributes='data-off="engagement"'))
    await page.goto(url)
    await shop.until_rows(1, "pages")
    await page.goto(url)
    first, second = await shop.until_rows(2, "pages")
    await page.clock.install(time=await page.evaluate("Date.now() / 1000 + 1801"))
    await page.goto(url)
    _, _, third = await shop.until_rows(3, "pages")

    assert first["context_session_id"] == second["context_session_id"] < third["context_session_id"]
    assert [view["context_session_count"] for view in (first, second, third)] == [1, 1, 2]
    assert [view["context_session_start"] for view in (first, second, third)] == [True, None, True]


async def test_engagement_is_told_with_the_address_that_the_page_had(shop: Shop, page: Page):
    await open_at_a_standstill(page, shop.write(LONG + tag()) + "?q=1#top")
    await page.clock.run_for(4_000)
    for depth in (900, 0):
        await page.evaluate(
            "y => new Promise((seen) => (addEventListener('scroll', seen, { once: true }), scrollTo(0, y)))", depth
        )
    await page.clock.run_for(1_000)
    await page.evaluate("history.pushState({}, '', 'second')")
    await page.clock.run_for(3_000)
    await page.evaluate("show(false)")

    assert await engagement(shop, 2) == [("index", 5_000, 50), ("second", 3_000, 25)]
    rows = await shop.rows()
    assert [row["context_page_url"] for row in rows] == [shop.url("index?q=1"), shop.url("second")]


async def test_only_time_in_front_of_the_visitor_counts(shop: Shop, page: Page):
    await open_at_a_standstill(page, shop.write(tag()))
    await page.clock.run_for(2_000)
    await page.evaluate("focusOn(false)")
    await page.clock.run_for(10_000)
    await page.evaluate("focusOn(true)")
    await page.clock.run_for(3_000)
    await page.evaluate("show(false)")
    await page.clock.run_for(60_000)
    await page.evaluate("show(true)")
    await page.clock.run_for(7_000)
    await page.evaluate("show(false)")

    assert await engagement(shop, 2) == [("index", 5_000, 100), ("index", 7_000, 100)]


async def test_a_glance_is_not_told_and_not_added_to_the_next_page(shop: Shop, page: Page):
    await open_at_a_standstill(page, shop.write(tag()))
    await page.clock.run_for(900)
    await page.evaluate("history.pushState({}, '', 'second')")
    await page.clock.run_for(900)
    await page.evaluate("history.pushState({}, '', 'third')")
    await page.clock.run_for(2_000)
    await page.evaluate("show(false)")

    assert await engagement(shop) == [("third", 2_000, 100)]


async def test_a_visitor_who_leaves_has_told_it_on_the_way_out(shop: Shop, page: Page):
    shop.write("a page without the script", "next")
    await open_at_a_standstill(page, shop.write(f"<a href='next'>next</a>{tag()}"))
    await page.clock.run_for(6_000)

    await page.click("a")

    assert await engagement(shop) == [("index", 6_000, 100)]


async def test_the_browser_tells_what_it_tells_every_site(shop: Shop, page: Page):
    await page.goto(shop.write(tag(attributes='data-off="engagement"')))
    (view,) = await shop.until_rows(1, "pages")

    assert view["context_user_agent_data_platform"] == "Linux"
    assert view["context_user_agent_data_mobile"] is False
    assert "Chromium" in [brand["brand"] for brand in json.loads(view["context_user_agent_data_brands"])]
    assert [view[f"context_screen_{what}"] for what in ("width", "height", "density")] == [1440, 900, 1]
    assert view["context_locale"] == "en-US"
    assert view["context_timezone"] == await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")
    assert view["context_user_agent"] == await page.evaluate("navigator.userAgent")
