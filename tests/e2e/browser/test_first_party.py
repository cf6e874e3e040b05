"""The visitor's cookie: set by the server, read by no script, and the last word on who it is."""

import re

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}")
LIFETIME_S = 395 * 86_400


async def test_the_first_events_answer_sets_one_opaque_cookie_without_a_request_more(
    shop: Shop, page: Page, context: BrowserContext
):
    await page.goto(shop.write(tag()))
    (view,) = await shop.until_rows(1, "pages")
    (cookie,) = await context.cookies()

    assert UUID.fullmatch(view["anonymous_id"])
    assert cookie["name"] == "hw"
    assert cookie["value"].split(".")[0] == view["anonymous_id"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert len(cookie["name"] + cookie["value"]) < 100
    assert cookie["expires"] - await page.evaluate("Date.now() / 1000") == pytest.approx(LIFETIME_S, abs=60)
    assert [post["path"] for post in shop.relay.posts] == [SCRIPT]


async def test_the_cookie_survives_when_the_page_clears_what_scripts_may_keep(shop: Shop, page: Page):
    await page.goto(shop.write(tag()))
    (view,) = await shop.until_rows(1, "pages")
    await page.evaluate("localStorage.clear()")
    await page.goto(shop.write(tag(), "second"))
    first, second = await shop.until_rows(2, "pages")

    assert first["anonymous_id"] == second["anonymous_id"] == view["anonymous_id"]
    assert await page.evaluate("analytics.user().anonymousId()") == view["anonymous_id"]
