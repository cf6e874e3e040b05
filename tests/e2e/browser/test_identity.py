"""Who a visitor is: told by the page, kept by the server's cookie, and forgotten on request."""

import json

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browser.harness.shop import Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = 'data-off="engagement"'
LINK = "?ajs_aid=a-9&ajs_uid=eve&ajs_trait_plan=pro&ajs_event=Came%20By%20Mail&ajs_prop_n=1"


async def cookie_id(context: BrowserContext) -> str:
    """The visitor as the cookie has it."""
    (cookie,) = await context.cookies()
    return cookie["value"].split(".")[0]


async def test_a_user_stays_from_page_to_page_and_traits_are_merged(shop: Shop, page: Page):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(url)
    await page.wait_for_function("window.analytics?.flush")
    await page.evaluate("analytics.identify(7, {plan: 'pro', seats: 1}), analytics.identify({seats: 2})")
    await shop.until_rows(2, "identifies")
    await page.goto(url)
    _, later = await shop.until_rows(2, "pages")

    assert later["user_id"] == "7"
    assert await page.evaluate("analytics.user().id()") == "7"
    assert await page.evaluate("analytics.user().traits()") == {"plan": "pro", "seats": 2}


async def test_another_user_is_another_visitor_without_the_traits_of_the_one_before(
    shop: Shop, page: Page, context: BrowserContext
):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(url)
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate("analytics.identify('ada', {vip: true}), analytics.flush()")
    await shop.until_rows(1, "identifies")
    await page.evaluate("analytics.identify('ada', {age: 36}), analytics.identify('bob', {age: 9}), analytics.flush()")
    ada, again, bob = await shop.until_rows(3, "identifies")

    assert view["anonymous_id"] == ada["anonymous_id"] == again["anonymous_id"] != bob["anonymous_id"]
    assert (again["vip"], again["age"]) == (True, 36)
    assert (bob["user_id"], bob["vip"], bob["age"]) == ("bob", None, 9)
    assert await cookie_id(context) == bob["anonymous_id"]


async def test_reset_makes_a_new_visitor_that_the_cookie_follows(shop: Shop, page: Page, context: BrowserContext):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(url)
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate("analytics.identify('ada', {vip: true}), analytics.group('acme'), analytics.flush()")
    await shop.until_rows(1, "groups")

    new_id = await page.evaluate("analytics.reset(), analytics.user().anonymousId()")
    await until(lambda: follows(context, new_id), "the cookie follows")
    await page.evaluate("analytics.track('After'), analytics.flush()")
    after = await shop.until_event("After")
    await page.evaluate("localStorage.clear()")
    await page.goto(url)
    _, later = await shop.until_rows(2, "pages")

    assert view["anonymous_id"] != new_id == after["anonymous_id"] == later["anonymous_id"]
    assert (after["user_id"], after["context_group_id"], later["user_id"]) == (None, None, None)
    assert await page.evaluate("[analytics.user().id(), analytics.user().traits()]") == [None, {}]


async def test_what_happened_before_a_reset_stays_with_who_did_it(shop: Shop, page: Page):
    await page.goto(shop.write(tag(attributes=QUIET)))
    await shop.until_rows(1, "pages")
    await page.evaluate("""() => {
        analytics.identify('ada');
        analytics.track('Signed Out');
        analytics.reset();
        analytics.track('Looked Around');
    }""")
    out, around = await shop.until_rows(2)

    assert (out["user_id"], around["user_id"]) == ("ada", None)
    assert out["anonymous_id"] != around["anonymous_id"]


@pytest.mark.parametrize("call", ["setAnonymousId('chosen-1')", "user().anonymousId('chosen-1')"])
async def test_an_anonymous_id_of_the_pages_own_wins_and_stays(
    shop: Shop, page: Page, context: BrowserContext, call: str
):
    url = shop.write(tag(attributes=QUIET))
    await page.goto(url)
    await shop.until_rows(1, "pages")
    await page.evaluate(f"analytics.{call}, analytics.track('Chosen'), analytics.flush()")
    chosen = await shop.until_event("Chosen")
    await page.evaluate("localStorage.clear()")
    await page.goto(url)
    _, later = await shop.until_rows(2, "pages")

    assert chosen["anonymous_id"] == later["anonymous_id"] == await cookie_id(context) == "chosen-1"


async def test_an_id_chosen_before_the_first_event_is_in_it(shop: Shop, page: Page, context: BrowserContext):
    queued = "<script>window.analytics = [['setAnonymousId', 'chosen-2'], ['track', 'Early']]</script>"
    await page.goto(shop.write(queued + tag(attributes=QUIET)))
    early = await shop.until_event("Early")
    (view,) = await shop.until_rows(1, "pages")

    assert early["anonymous_id"] == view["anonymous_id"] == await cookie_id(context) == "chosen-2"


async def test_a_link_says_nothing_about_its_visitor_by_default(shop: Shop, page: Page):
    await page.goto(shop.write(tag(attributes=QUIET)) + LINK)
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate("analytics.track('End'), analytics.flush()")
    end = await shop.until_event("End")

    assert (view["user_id"], end["user_id"]) == (None, None)
    assert view["anonymous_id"] != "a-9"
    assert await shop.events() == ["End"]
    assert await shop.rows("identifies") == []


async def test_a_link_is_obeyed_before_the_first_event_where_the_owner_wants_it(
    shop: Shop, page: Page, context: BrowserContext
):
    await page.goto(shop.write(tag("query", QUIET)) + LINK)
    (identify,) = await shop.until_rows(1, "identifies")
    (view,) = await shop.until_rows(1, "pages")
    came = await shop.until_event("Came By Mail")

    assert (identify["user_id"], identify["plan"]) == ("eve", "pro")
    assert json.loads(came["properties"]) == {"n": "1"}
    assert {(row["user_id"], row["anonymous_id"]) for row in (identify, view, came)} == {("eve", "a-9")}
    assert await cookie_id(context) == "a-9"


async def follows(context: BrowserContext, anonymous_id: str) -> bool:
    return await cookie_id(context) == anonymous_id
