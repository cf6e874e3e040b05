"""What brought a visitor here, at first and last, and as long as the visitor agrees to that being kept."""

import json
from typing import Any

import pytest
from playwright.async_api import Page

from tests.e2e.browser.harness.shop import Row, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = 'data-off="engagement"'
PREFIX = "context_attribution_"


def touch(row: Row, which: str) -> dict[str, Any]:
    """What a row says of the first or last touch, without its time."""
    start = f"{PREFIX}{which}_"
    found = {column.removeprefix(start): value for column, value in row.items() if column.startswith(start) and value}
    found.pop("at", None)
    return found


async def test_campaign_and_click_ids_are_those_of_the_address(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    campaign = "utm_source=news&utm_medium=email&utm_campaign=spring&utm_term=mug&utm_content=top&utm_id=77"
    await page.goto(f"{url}?{campaign}&gclid=G1&fbclid=F2&_kx=K3&color=red")
    (view,) = await shop.until_rows(1, "pages")

    told = {
        "campaign_source": "news",
        "campaign_medium": "email",
        "campaign_name": "spring",
        "campaign_term": "mug",
        "campaign_content": "top",
        "campaign_id": "77",
    }
    assert {column: view[f"context_{column}"] for column in told} == told
    ids = {"click_ids_gclid": "G1", "click_ids_fbclid": "F2", "click_ids_kx": "K3"}
    assert touch(view, "first") == touch(view, "last") == told | ids | {"url": url}


async def test_a_later_visit_changes_the_last_touch_and_never_the_first(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(f"{url}?utm_source=news&gclid=G1")
    await shop.until_rows(1, "pages")
    await page.goto(f"{url}?utm_source=ad&msclkid=M2")
    await shop.until_rows(2, "pages")
    await page.goto(url)
    views = await shop.until_rows(3, "pages")

    assert [touch(view, "first") for view in views] == [
        {"campaign_source": "news", "click_ids_gclid": "G1", "url": url}
    ] * 3
    assert [touch(view, "last") for view in views[1:]] == [
        {"campaign_source": "ad", "click_ids_msclkid": "M2", "url": url}
    ] * 2
    assert views[0][f"{PREFIX}first_at"] == views[2][f"{PREFIX}first_at"] < views[2][f"{PREFIX}last_at"]
    assert [view.get("context_campaign_source") for view in views] == ["news", "ad", None]


async def test_a_visitor_who_comes_from_elsewhere_is_a_touch_and_one_who_goes_on_is_none(shop: Shop, page: Page):
    url = shop.write(f"<a href='second'>second</a>{tag(attributes=QUIET)}")
    shop.write(tag(attributes=QUIET), "second")
    shop.write(f"<a href='{url}'>shop</a>", "blog")

    await page.goto(shop.url("blog", host="other.test"))
    await page.click("a")
    await shop.until_rows(1, "pages")
    await page.click("a")
    first, second = await shop.until_rows(2, "pages")

    came = {"referrer": f"http://other.test:{shop.port}/", "url": url}
    assert first["referrer"] == came["referrer"]
    assert second["referrer"] == url
    assert [touch(view, which) for view in (first, second) for which in ("first", "last")] == [came] * 4


@pytest.mark.parametrize(
    ("referrer", "is_touch"),
    [
        ("http://pay.test/done", False),
        ("http://eu.pay.test/done", False),
        ("http://notpay.test/done", True),
        ("http://search.test/", True),
        ("http://127.0.0.1/", False),
        ("", False),
    ],
)
async def test_the_owners_other_hosts_are_no_touch(shop: Shop, page: Page, referrer: str, is_touch: bool):
    await page.goto(shop.write(tag("owner", QUIET)), referer=referrer)
    (view,) = await shop.until_rows(1, "pages")

    assert view["referrer"] == referrer
    assert bool(touch(view, "last")) == is_touch


async def test_one_way_in_is_one_touch_however_often_the_visitor_is_asked(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(f"{url}?utm_source=news&gclid=G1", referer="http://search.test/")
    await shop.until_rows(1, "pages")

    await page.evaluate("history.pushState({}, '', 'second'), analytics.consent(true)")
    await page.evaluate("analytics.track('Later'), analytics.flush()")
    later = await shop.until_event("Later")

    came = {"campaign_source": "news", "click_ids_gclid": "G1", "referrer": "http://search.test/", "url": url}
    assert touch(later, "first") == touch(later, "last") == came


async def test_a_touch_says_where_without_what_the_address_keeps_to_the_browser(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(f"{url}?q=1#access_token=secret", referer="http://search.test/")
    (view,) = await shop.until_rows(1, "pages")

    assert touch(view, "last") == {"referrer": "http://search.test/", "url": url}
    assert view["url"] == f"{url}?q=1"
    assert "secret" not in json.dumps([view, shop.relay.posts], default=str)


async def test_a_refusal_of_marketing_ends_attribution_and_erases_what_was_kept(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(f"{url}?utm_source=news&gclid=G1")
    (before,) = await shop.until_rows(1, "pages")
    await page.evaluate("analytics.consent({marketing: false})")
    await page.goto(f"{url}?utm_source=ad&gclid=G2")
    _, after = await shop.until_rows(2, "pages")

    assert touch(before, "last")
    assert touch(after, "first") == touch(after, "last") == {}
    assert after["context_consent_category_preferences_marketing"] is False
    assert after["context_campaign_source"] == "ad", "which page was asked for is no secret of the visitor's"
    assert "G1" not in json.dumps(await page.evaluate("({...localStorage})"))


async def test_what_was_held_goes_out_with_the_way_in_if_marketing_is_granted(shop: Shop, page: Page):
    url = shop.write(tag("consent", QUIET))
    await page.goto(f"{url}?utm_source=news&gclid=G1", referer="http://search.test/")
    await page.wait_for_function("window.analytics?.consent")
    await page.evaluate("history.pushState({}, '', 'second')")
    await page.evaluate("new Promise((done) => setTimeout(done)).then(() => analytics.consent(true))")
    views = await shop.until_rows(2, "pages")
    await page.evaluate("analytics.track('Later'), analytics.flush()")
    later = await shop.until_event("Later")

    came = {"campaign_source": "news", "click_ids_gclid": "G1", "referrer": "http://search.test/", "url": url}
    assert [touch(row, "last") for row in (*views, later)] == [came] * 3


async def test_what_was_held_forgets_the_way_in_if_marketing_is_refused(shop: Shop, page: Page):
    await page.goto(shop.write(tag("consent", QUIET)) + "?utm_source=news&gclid=G1")
    await page.wait_for_function("window.analytics?.consent")
    await page.evaluate("analytics.consent({analytics: true, marketing: false})")
    (view,) = await shop.until_rows(1, "pages")

    assert touch(view, "first") == touch(view, "last") == {}
    assert await page.evaluate("Object.keys(localStorage).includes('hw_touch')") is False
