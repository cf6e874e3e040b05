"""Events as they are on the wire: what each call makes of its arguments, and what stands there without being asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

UUID_V4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UUID_V7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ALWAYS = {"type", "messageId", "anonymousId", "timestamp", "context"}
HOME = {"path": "/", "referrer": "", "search": "", "title": "/"}
KNOWN = "analytics.identify('u', {a: 1}); "


async def record(page: Page, site: Site, calls: str, path: str = "/") -> list[dict[str, Any]]:
    """The events that some calls on a fresh page make."""
    await page.goto(site.origin + path)
    await page.evaluate(f"async () => {{ {calls}; await analytics.flush() }}")
    return site.events()


async def test_an_event_says_who_when_and_where_and_nothing_that_is_not_known(page: Page, site: Site):
    site.pages["/shoes"] = site.pages["/"]

    (event,) = await record(
        page, site, "analytics.track('Viewed', {size: 42})", "/shoes?utm_source=news&utm_campaign=spring&q=1#top"
    )

    assert set(event) == ALWAYS | {"event", "properties"}
    assert (event["type"], event["event"], event["properties"]) == ("track", "Viewed", {"size": 42})
    assert UUID_V7.fullmatch(event["messageId"])
    assert UUID_V4.fullmatch(event["anonymousId"])
    assert ISO.fullmatch(event["timestamp"])
    context, url = event["context"], f"{site.origin}/shoes"
    search = "?utm_source=news&utm_campaign=spring&q=1"
    where = {"url": url + search, "path": "/shoes", "referrer": "", "search": search, "title": "/shoes"}
    touch = {"campaign": {"source": "news", "name": "spring"}, "referrer": "", "url": url}
    assert context.pop("page") == where
    assert context.pop("campaign") == touch["campaign"]
    assert [ISO.fullmatch(each.pop("at")) and each for each in context.pop("attribution").values()] == [touch, touch]
    assert context.pop("library").keys() == {"name", "version"}
    assert context.pop("screen") == {"width": 1440, "height": 900, "density": 1}
    assert context.pop("userAgent").startswith("Mozilla/5.0")
    assert context.pop("userAgentData").keys() == {"brands", "mobile", "platform"}
    assert context.pop("consent") == {"categoryPreferences": {"analytics": True, "marketing": True}}
    assert isinstance(context.pop("sessionId"), int)
    assert (context.pop("sessionStart"), context.pop("sessionCount")) == (True, 1)
    assert (context.pop("locale"), bool(context.pop("timezone"))) == ("en-US", True)
    assert context == {}


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("analytics.page()", {"properties": HOME}),
        ("analytics.page('Pricing')", {"name": "Pricing", "properties": HOME | {"name": "Pricing"}}),
        (
            "analytics.page('Docs', 'Install', {a: 1, title: 'Own'})",
            {
                "category": "Docs",
                "name": "Install",
                "properties": HOME | {"category": "Docs", "name": "Install", "a": 1, "title": "Own"},
            },
        ),
        ("analytics.page({a: 1})", {"properties": HOME | {"a": 1}}),
        ("analytics.page(null, 'Named')", {"name": "Named", "properties": HOME | {"name": "Named"}}),
        ("analytics.screen('Home')", {"name": "Home", "properties": {"name": "Home"}}),
        ("analytics.identify(7, {plan: 'pro'})", {"userId": "7", "traits": {"plan": "pro"}}),
        (KNOWN + "analytics.identify({b: 2})", {"userId": "u", "traits": {"a": 1, "b": 2}}),
        (KNOWN + "analytics.identify('other', {b: 2})", {"userId": "other", "traits": {"b": 2}}),
        (KNOWN + "analytics.reset(); analytics.identify({b: 2})", {"traits": {"b": 2}}),
        (KNOWN + "analytics.group('acme', {size: 9})", {"userId": "u", "groupId": "acme", "traits": {"size": 9}}),
        (KNOWN + "analytics.alias('u2')", {"userId": "u2", "previousId": "u"}),
        ("analytics.alias('u2', 'u1')", {"userId": "u2", "previousId": "u1"}),
        (KNOWN + "analytics.track('A', null)", {"userId": "u", "event": "A", "properties": {}}),
        (
            "analytics.track('A', {}, {userId: 'x', anonymousId: 'me', timestamp: 0, integrations: {All: false}})",
            {
                "event": "A",
                "properties": {},
                "userId": "x",
                "anonymousId": "me",
                "timestamp": "1970-01-01T00:00:00.000Z",
                "integrations": {"All": False},
            },
        ),
        ("analytics.push(['track', 'A', {n: 1}])", {"event": "A", "properties": {"n": 1}}),
    ],
)
async def test_each_call_says_what_it_was_told_and_no_more(
    page: Page, site: Site, calls: str, expected: dict[str, Any]
):
    event = (await record(page, site, calls))[-1]

    if event["type"] == "page":
        assert event["properties"].pop("url") == f"{site.origin}/"
    assert {key: value for key, value in event.items() if key in expected} == expected
    assert set(event) == ALWAYS | set(expected)


async def test_message_ids_sort_in_the_order_of_the_calls(page: Page, site: Site):
    events = await record(page, site, "for (let i = 0; i < 50; i++) analytics.track('E' + i)")

    assert [event["event"] for event in sorted(events, key=lambda event: event["messageId"])] == [
        f"E{i}" for i in range(50)
    ]


async def test_context_may_be_added_to_and_a_wrong_time_costs_nothing(page: Page, site: Site):
    options = "{context: {ip: '0.0.0.0', locale: 'xx'}, timestamp: 'soon'}"

    group, track = await record(page, site, f"analytics.group('acme'); analytics.track('A', {{}}, {options})")

    assert (track["context"]["ip"], track["context"]["locale"]) == ("0.0.0.0", "xx")
    assert track["context"]["groupId"] == group["groupId"] == "acme"
    assert ISO.fullmatch(track["timestamp"])


async def test_properties_are_those_at_the_time_of_the_call(page: Page, site: Site):
    (event,) = await record(page, site, "const p = {n: 1}; analytics.track('A', p); p.n = 2")

    assert event["properties"] == {"n": 1}


async def test_what_cannot_be_written_costs_that_event_alone(page: Page, site: Site, complaints: list[str]):
    events = await record(
        page,
        site,
        """const circle = {}; circle.self = circle;
        analytics.track('Circle', circle);
        analytics.track('Getter', {get bad() { throw new Error('no') }});
        analytics.track('BigInt', {n: 1n});
        analytics.push(['nonsense']);
        analytics.track('Good')""",
    )

    assert [event["event"] for event in events] == ["Good"]
    assert len(complaints) == 3, "the developer hears of each"
    assert all("Uncaught" not in line for line in complaints)
