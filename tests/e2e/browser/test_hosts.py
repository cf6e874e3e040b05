"""Where a visitor is the same one: on the page's own host, on subdomains that share a cookie, on the other sites of
the same owner, at a former address of the script, and without JavaScript; and that nobody becomes someone else by
accident."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Response

from gateway.collect.cookies import RENEWED_AFTER_DAYS
from gateway.collect.linker import VALID_S, sign_link
from gateway.script import load_assets
from tests.e2e.browser.harness.front import PREFIX
from tests.e2e.browser.harness.shop import SCRIPT, Row, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY_S = 86_400
SECRET = "a-long-random-secret"
LINKER = f"{PREFIX}/ab2c/{load_assets().chunks['linker'].file_name}"
WHO = "analytics.user().anonymousId()"


@pytest_asyncio.fixture(loop_scope="session")
async def plain_page(browser: Browser) -> AsyncIterator[Page]:
    """A page in a browser that runs no scripts."""
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def visit(shop: Shop, page: Page, url: str, then: str = "") -> Row:
    """Open a page, do something there, and answer the row of an event that follows."""
    name = uuid.uuid4().hex
    await page.goto(url)
    await page.evaluate(f"async () => {{ {then}; analytics.track('{name}'); await analytics.flush() }}")
    return await shop.until_event(name)


def answers_to(page: Page) -> list[Response]:
    """All that the page is answered from now on, as it comes."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    return answers


async def cookies(context: BrowserContext) -> dict[str, str]:
    """By domain, whom the cookie names."""
    return {cookie["domain"]: cookie["value"].partition(".")[0] for cookie in await context.cookies()}


async def set_cookie(context: BrowserContext, host: str, age_days: int) -> str:
    """Give the visitor a cookie of some age; answers who it names."""
    visitor = str(uuid.uuid4())
    value = f"{visitor}.{int(time.time()) // DAY_S - age_days}"
    await context.add_cookies([{"name": "hw", "value": value, "domain": host, "path": "/", "httpOnly": True}])
    return visitor


async def test_subdomains_share_the_visitor_where_the_owner_wants_it(shop: Shop, page: Page, context: BrowserContext):
    shop.write(tag("shared"))
    first = await visit(shop, page, shop.url(host="a.shop.test"))
    second = await visit(shop, page, shop.url(host="b.shop.test"))

    assert first["anonymous_id"] == second["anonymous_id"]
    assert await cookies(context) == {".shop.test": first["anonymous_id"]}
    assert await page.evaluate(WHO) == first["anonymous_id"]


async def test_without_a_cookie_domain_each_host_has_its_own_visitor(shop: Shop, page: Page, context: BrowserContext):
    shop.write(tag())
    first = await visit(shop, page, shop.url(host="a.shop.test"))
    second = await visit(shop, page, shop.url(host="b.shop.test"))

    assert first["anonymous_id"] != second["anonymous_id"]
    assert await cookies(context) == {"a.shop.test": first["anonymous_id"], "b.shop.test": second["anonymous_id"]}


async def test_a_reset_on_one_subdomain_holds_on_the_other(shop: Shop, page: Page, context: BrowserContext):
    shop.write(tag("shared"))
    a, b = shop.url(host="a.shop.test"), shop.url(host="b.shop.test")
    before = await visit(shop, page, a, "analytics.identify('ann')")
    await visit(shop, page, b, "analytics.identify('ann')")
    reset = await visit(shop, page, a, "analytics.reset()")
    await visit(shop, page, b)
    after = await visit(shop, page, b)

    assert reset["anonymous_id"] == after["anonymous_id"] != before["anonymous_id"]
    assert await cookies(context) == {".shop.test": after["anonymous_id"]}
    assert after["user_id"] is None


async def test_a_reset_holds_when_the_page_clears_its_storage_right_after_it(
    shop: Shop, page: Page, context: BrowserContext
):
    before = await visit(shop, page, shop.write(tag()))
    after = await visit(shop, page, shop.url(), "analytics.reset(), localStorage.clear()")
    later = await visit(shop, page, shop.url())

    assert later["anonymous_id"] != before["anonymous_id"]
    assert list((await cookies(context)).values()) == [later["anonymous_id"]]
    assert after["user_id"] is None


@pytest.mark.parametrize("source", ["", "shared"])
@pytest.mark.parametrize("host", ["co.uk", "127.0.0.1"])
async def test_a_public_suffix_and_an_address_keep_the_visitor_to_themselves(
    shop: Shop, page: Page, context: BrowserContext, host: str, source: str
):
    shop.write(tag(source))
    first = await visit(shop, page, shop.url(host=host))
    await page.evaluate("localStorage.clear()")
    second = await visit(shop, page, shop.url(host=host))

    assert first["anonymous_id"] == second["anonymous_id"]
    assert await cookies(context) == {host: first["anonymous_id"]}


async def test_the_cookie_wins_over_what_the_page_remembers_and_the_page_learns_it(
    shop: Shop, page: Page, context: BrowserContext
):
    shop.write(tag())
    visitor = await set_cookie(context, "127.0.0.1", 1)
    await page.goto(shop.url())
    await page.evaluate("localStorage.hw_id = 'someone-else'")
    row = await visit(shop, page, shop.url())

    assert row["anonymous_id"] == visitor
    assert await page.evaluate(WHO) == visitor


async def test_what_happens_before_the_page_has_learnt_it_is_the_cookies_visitors_too(
    shop: Shop, page: Page, context: BrowserContext, slow_port: Callable[[], Any]
):
    shop.write(tag("plain"))
    visitor = await set_cookie(context, "127.0.0.1", 1)
    async with slow_port() as port:
        await page.goto(shop.url(port=port))
        async with page.expect_response(lambda answer: answer.request.method == "POST"):
            async with page.expect_request(lambda request: request.method == "POST"):
                await page.evaluate("analytics.track('First'), analytics.flush(); null")
            await page.evaluate("analytics.track('Meanwhile'); null")
        rows = await shop.until_rows(2)

    assert [row["anonymous_id"] for row in rows] == [visitor, visitor]


@pytest.mark.parametrize(
    ("age_days", "is_renewed"), [(RENEWED_AFTER_DAYS - 1, False), (RENEWED_AFTER_DAYS + 1, True), (-2, True)]
)
async def test_a_cookie_is_set_again_when_it_is_a_month_old_and_not_before(
    shop: Shop, page: Page, context: BrowserContext, age_days: int, is_renewed: bool
):
    answers = answers_to(page)
    shop.write(tag())
    visitor = await set_cookie(context, "127.0.0.1", age_days)
    row = await visit(shop, page, shop.url())
    later = await visit(shop, page, shop.url())
    (cookie,) = await context.cookies()
    set_again = [line for answer in answers for line in await answer.header_values("set-cookie")]

    assert row["anonymous_id"] == later["anonymous_id"] == visitor
    today = int(time.time()) // DAY_S
    assert cookie["value"] == f"{visitor}.{today if is_renewed else today - age_days}"
    assert len(set_again) == is_renewed


async def follow(shop: Shop, page: Page, start: str, target: str) -> None:
    """As a visitor does it: the pointer comes near, the link is clicked, the next page is there."""
    shop.write(f'{tag("linked")}<a href="{target}">to the other site</a>', "start")
    await page.goto(start)
    await page.evaluate("path => import(path)", LINKER)
    async with page.expect_response(lambda answer: '"wants":"link"' in (answer.request.post_data or "")):
        await page.hover("a")
    await page.click("a")
    await page.wait_for_url("**/arrival*")


async def test_a_link_to_another_site_of_the_owner_takes_the_visitor_along(
    shop: Shop, page: Page, context: BrowserContext
):
    shop.write(tag("linked"), "arrival")
    target = shop.url("arrival", host="other.test") + "?size=42#top"
    await follow(shop, page, shop.url("start", host="shop.test"), target)
    start, arrival = await shop.until_rows(2, "pages")

    assert arrival["anonymous_id"] == start["anonymous_id"]
    assert await cookies(context) == dict.fromkeys(("shop.test", "other.test"), start["anonymous_id"])
    assert page.url == target, "what the link took along is out of the address"
    assert (arrival["context_page_url"], arrival["context_page_search"]) == (target.partition("#")[0], "?size=42")
    assert "_hw" not in str(arrival)
    assert await page.evaluate(WHO) == start["anonymous_id"]


@pytest.mark.parametrize("name", ["valid", "expired", "tampered", "of another secret", "nonsense"])
async def test_an_address_says_who_comes_only_when_the_gateway_signed_it_just_now(shop: Shop, page: Page, name: str):
    shop.write(tag("linked"), "arrival")
    visitor, now_s = str(uuid.uuid4()), int(time.time())
    fresh = sign_link(visitor, now_s, SECRET)
    token = {
        "valid": fresh,
        "expired": sign_link(visitor, now_s - VALID_S - 1, SECRET),
        "tampered": fresh.replace(visitor, str(uuid.uuid4())),
        "of another secret": sign_link(visitor, now_s, "another"),
        "nonsense": "nonsense",
    }[name]
    row = await visit(shop, page, shop.url("arrival", host="other.test") + f"?_hw={token}")

    assert (row["anonymous_id"] == visitor) == (name == "valid")
    assert row["anonymous_id"] not in token or name == "valid"
    assert row["context_page_url"] == page.url == shop.url("arrival", host="other.test")


async def test_a_shared_link_makes_nobody_who_is_known_someone_else(shop: Shop, page: Page):
    shop.write(tag("linked"), "arrival")
    url = shop.url("arrival", host="other.test")
    before = await visit(shop, page, url, "analytics.identify('bob')")
    after = await visit(shop, page, f"{url}?_hw={sign_link(str(uuid.uuid4()), int(time.time()), SECRET)}")

    assert (after["anonymous_id"], after["user_id"]) == (before["anonymous_id"], "bob")
    assert page.url == url


async def test_links_to_other_hosts_stay_as_they_are(shop: Shop, page: Page):
    shop.write("a page of somebody else", "arrival")
    target = shop.url("arrival", host="a.shop.test")
    shop.write(f'{tag("linked")}<a href="{target}">away</a>')
    await page.goto(shop.url(host="shop.test"))
    await page.evaluate("path => import(path)", LINKER)
    await page.hover("a")
    await page.click("a")
    await page.wait_for_url("**/arrival*")
    await shop.until_event("Link Clicked")

    assert page.url == target
    assert not any('"wants":"link"' in post["body"] for post in shop.relay.posts)


async def test_a_link_is_plain_again_once_it_was_followed(shop: Shop, page: Page, context: BrowserContext):
    shop.write(tag("linked"), "arrival")
    target = shop.url("arrival", host="other.test")
    shop.write(f'{tag("linked")}<a href="{target}" target="_blank">beside</a>')
    await page.goto(shop.url(host="shop.test"))
    await page.evaluate("path => import(path)", LINKER)
    async with page.expect_response(lambda answer: '"wants":"link"' in (answer.request.post_data or "")):
        await page.hover("a")
    async with context.expect_page():
        await page.click("a")

    await page.wait_for_function("target => document.querySelector('a').href === target", arg=target)
    rows = await shop.until_rows(2, "pages")
    assert len({row["anonymous_id"] for row in rows}) == 1


async def test_a_former_address_of_the_script_goes_on_serving_and_taking_events(
    shop: Shop, page: Page, context: BrowserContext
):
    former = f"{PREFIX}/zz9d/q2w8er"
    shop.write(tag(script=former), "old")
    shop.write(tag(), "new")
    old = await visit(shop, page, shop.url("old"))
    new = await visit(shop, page, shop.url("new"))

    assert old["anonymous_id"] == new["anonymous_id"]
    assert {post["path"] for post in shop.relay.posts} == {former, SCRIPT}
    assert len(await context.cookies()) == 1


async def test_without_javascript_the_pixel_counts_pages_for_the_cookies_visitor(shop: Shop, plain_page: Page):
    answers = answers_to(plain_page)
    url = shop.write(f'{tag()}<noscript><img src="{SCRIPT}" alt="" width="1" height="1"></noscript>')
    visitor = await set_cookie(plain_page.context, "127.0.0.1", 1)
    await plain_page.goto(f"{url}?utm_source=paper")
    (view,) = await shop.until_rows(1, "pages")

    assert (view["anonymous_id"], view["context_library_name"]) == (visitor, "headwater pixel")
    assert (view["context_page_url"], view["path"]) == (f"{url}?utm_source=paper", f"{shop.folder}index")
    (pixel,) = [answer for answer in answers if SCRIPT in answer.url]
    assert pixel.url.endswith(SCRIPT), "lists block pixels by names like .gif"
    assert (pixel.headers["content-type"], pixel.headers["cache-control"]) == ("image/gif", "no-store")


async def test_without_javascript_the_pixel_makes_a_visitor_who_comes_back(shop: Shop, plain_page: Page):
    for name in ("first", "second"):
        await plain_page.goto(shop.write(f'<noscript><img src="{SCRIPT}" alt=""></noscript>', name))
    first, second = await shop.until_rows(2, "pages")

    assert first["anonymous_id"] == second["anonymous_id"]
    assert await cookies(plain_page.context) == {"127.0.0.1": first["anonymous_id"]}


async def test_a_pixel_can_say_what_happened_and_more_about_it(shop: Shop, plain_page: Page):
    query = "event=Article+Read&amp;p.section=news&amp;p.words=%C3%A9t%C3%A9"
    await plain_page.goto(shop.write(f'<noscript><img src="{SCRIPT}?{query}" alt=""></noscript>'))
    row = await shop.until_event("Article Read")

    assert json.loads(row["properties"]) == {"section": "news", "words": "été"}
    assert row["context_page_path"] == f"{shop.folder}index"
