"""What is in an event, and who it says the visitor is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

UUID_V4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID_V7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def record(page: Page, site: Site, calls: str, path: str = "/") -> list[dict[str, Any]]:
    """The events that some calls on a fresh page make."""
    before = len(site.events())
    await page.goto(site.origin + path)
    await page.evaluate(f"async () => {{ {calls}; await analytics.flush() }}")
    return site.events()[before:]


async def test_an_event_says_who_when_and_where(page: Page, site: Site):
    site.pages["/shoes"] = site.pages["/"]

    (event,) = await record(
        page, site, "analytics.track('Viewed', {size: 42})", "/shoes?utm_source=news&utm_campaign=spring&q=1#top"
    )

    assert (event["type"], event["event"], event["properties"]) == ("track", "Viewed", {"size": 42})
    assert UUID_V7.fullmatch(event["messageId"])
    assert UUID_V4.fullmatch(event["anonymousId"])
    assert event["userId"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
    context = event["context"]
    search = "?utm_source=news&utm_campaign=spring&q=1"
    assert context["page"] == {
        "url": f"{site.origin}/shoes{search}",
        "path": "/shoes",
        "referrer": "",
        "search": search,
        "title": "/shoes",
    }
    assert context["campaign"] == {"source": "news", "name": "spring"}
    assert context["library"]["name"] == "headwater.js"
    assert context["screen"] == {"width": 1440, "height": 900, "density": 1}
    assert context["userAgent"].startswith("Mozilla/5.0")
    assert context["locale"] == "en-US"
    assert context["timezone"]


async def test_message_ids_sort_in_the_order_of_the_calls(page: Page, site: Site):
    events = await record(page, site, "for (let i = 0; i < 50; i++) analytics.track('E' + i)")

    assert [event["event"] for event in sorted(events, key=lambda event: event["messageId"])] == [
        f"E{i}" for i in range(50)
    ]


async def test_page_and_screen_carry_name_and_category_twice(page: Page, site: Site):
    calls = "analytics.page('Pricing'); analytics.page('Docs', 'Install', {a: 1}); analytics.screen('Home')"

    named, both, screen = await record(page, site, calls)

    assert (named["name"], named["properties"]["name"]) == ("Pricing", "Pricing")
    assert "category" not in named
    assert (both["category"], both["name"], both["properties"]["category"]) == ("Docs", "Install", "Docs")
    assert (both["properties"]["path"], both["properties"]["a"]) == ("/", 1)
    assert (screen["type"], screen["properties"]) == ("screen", {"name": "Home"})


async def test_identify_merges_traits_and_stays_for_later_events_and_pages(page: Page, site: Site):
    first, second, tracked = await record(
        page,
        site,
        "analytics.identify(7, {plan: 'pro', seats: 1}); analytics.identify({seats: 2}); analytics.track('A')",
    )
    (later,) = await record(page, site, "analytics.track('B')")

    assert (first["userId"], first["traits"]) == ("7", {"plan": "pro", "seats": 1})
    assert (second["userId"], second["traits"]) == ("7", {"plan": "pro", "seats": 2})
    assert [tracked["userId"], later["userId"]] == ["7", "7"]
    assert later["anonymousId"] == first["anonymousId"]


async def test_a_different_user_takes_over_neither_traits_nor_the_anonymous_id(page: Page, site: Site):
    first, second = await record(page, site, "analytics.identify('a', {vip: true}); analytics.identify('b', {age: 3})")

    assert (second["userId"], second["traits"]) == ("b", {"age": 3})
    assert second["anonymousId"] != first["anonymousId"]


async def test_group_and_alias_name_both_sides(page: Page, site: Site):
    calls = "analytics.identify('u'); analytics.group('acme', {size: 9}); analytics.track('A'); analytics.alias('u2')"

    _, group, tracked, alias = await record(page, site, calls)

    assert (group["groupId"], group["traits"]) == ("acme", {"size": 9})
    assert tracked["context"]["groupId"] == "acme"
    assert (alias["userId"], alias["previousId"]) == ("u2", "u")


async def test_reset_makes_a_new_visitor(page: Page, site: Site):
    before, after = await record(
        page, site, "analytics.identify('u', {a: 1}); analytics.reset(); analytics.identify({b: 2})"
    )

    assert after["userId"] is None
    assert after["traits"] == {"b": 2}
    assert after["anonymousId"] != before["anonymousId"]


async def test_options_add_context_and_set_time_and_id(page: Page, site: Site):
    options = "{context: {ip: '0.0.0.0'}, integrations: {All: false}, timestamp: 0, anonymousId: 'me'}"
    plain, dated = await record(
        page, site, f"analytics.track('A', null, {options}); analytics.track('B', {{}}, {{timestamp: 'soon'}})"
    )

    assert (plain["context"]["ip"], plain["integrations"]) == ("0.0.0.0", {"All": False})
    assert (plain["timestamp"], plain["anonymousId"]) == ("1970-01-01T00:00:00.000Z", "me")
    assert dated["timestamp"] > "2020", "a time that is none must not cost the event"


async def test_the_cookie_wins_over_storage(page: Page, site: Site, context: BrowserContext):
    (first,) = await record(page, site, "analytics.track('A')")
    await context.add_cookies([{"name": "hw_id", "value": "from-the-server", "url": site.origin}])
    (second,) = await record(page, site, "analytics.track('B')")

    assert first["anonymousId"] != second["anonymousId"] == "from-the-server"
    assert await page.evaluate("localStorage.hw_id") == "from-the-server"


async def test_a_lost_cookie_is_made_again_from_storage(page: Page, site: Site, context: BrowserContext):
    (first,) = await record(page, site, "analytics.track('A')")
    await context.clear_cookies()
    (second,) = await record(page, site, "analytics.track('B')")
    (cookie,) = await context.cookies()

    assert first["anonymousId"] == second["anonymousId"] == cookie["value"]
    assert (cookie["name"], cookie["sameSite"], cookie["path"]) == ("hw_id", "Lax", "/")
    year_s = 365 * 24 * 3600
    assert cookie["expires"] - await page.evaluate("Date.now() / 1000") == pytest.approx(year_s, abs=60)


async def test_user_tells_and_sets_who_the_visitor_is(page: Page, site: Site):
    await page.goto(site.origin)

    known = await page.evaluate("""() => {
        analytics.identify('u', {a: 1});
        analytics.user().anonymousId('chosen');
        const user = analytics.user();
        return [user.id(), user.traits(), user.anonymousId()];
    }""")

    assert known == ["u", {"a": 1}, "chosen"]


async def test_listeners_hear_calls_and_what_became_of_them(page: Page, site: Site):
    await page.goto(site.origin)

    heard = await page.evaluate("""async () => {
        const heard = [];
        analytics.on('track', (event, properties) => heard.push(['track', event, properties.a]));
        analytics.on('queued', (event) => heard.push(['queued', event.event]));
        analytics.on('sending', (ids) => heard.push(['sending', ids.length]));
        analytics.on('delivered', (ids) => heard.push(['delivered', ids.length]));
        analytics.track('A', {a: 1});
        await analytics.flush();
        return heard;
    }""")

    assert heard == [["track", "A", 1], ["queued", "A"], ["sending", 1], ["delivered", 1]]


async def test_a_call_settles_when_its_event_is_stored(page: Page, site: Site):
    await page.goto(site.origin)

    event = await page.evaluate("new Promise((done) => analytics.track('A', {}, {}, done))")

    assert [stored["messageId"] for stored in site.events()] == [event["messageId"]]
