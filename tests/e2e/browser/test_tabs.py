"""Tabs of one visitor share an outbox: nothing is lost and nothing counts twice, whichever of them sends, crashes
or clears what scripts may keep."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Error, Page

from tests.e2e.browser.harness.front import Fault
from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUIET = tag("plain")
HUNDRED = "async (tab) => { for (let i = 0; i < 100; i++) { analytics.track(tab + i); if (i % 9 == 0) await 0 } }"
NAVIGATIONS, EVENTS_A_PAGE = 25, 20


async def identities(shop: Shop) -> tuple[int, int]:
    """How many rows there are in tracks, and how many ids."""
    (counted,) = await shop.query(
        "select count(*) as events, count(distinct id) as ids from tracks "
        f"where context_page_path like '%{shop.folder}%'"
    )
    return counted["events"], counted["ids"]


@pytest.mark.parametrize("host", ["127.0.0.1", "shop.test"], ids=["with locks", "without locks"])
async def test_two_hundred_events_of_two_tabs_are_all_there_once(
    shop: Shop, page: Page, context: BrowserContext, host: str
):
    """Browsers have locks on secure pages alone."""
    shop.write(QUIET)
    other = await context.new_page()
    for each in (page, other):
        await each.goto(shop.url(host=host))
        await each.evaluate("analytics.track('Known'), analytics.flush()")
    assert await page.evaluate("'locks' in navigator") == (host == "127.0.0.1")

    await asyncio.gather(page.evaluate(HUNDRED, "a"), other.evaluate(HUNDRED, "b"))
    await asyncio.gather(page.evaluate("analytics.flush()"), other.evaluate("analytics.flush()"))
    rows = await shop.until_rows(202)
    await shop.settled()

    names = {f"{tab}{i}" for tab in "ab" for i in range(100)}
    assert {row["event_text"] for row in rows} == {"Known"} | names
    assert await identities(shop) == (202, 202)
    assert len({row["anonymous_id"] for row in rows}) == 1


async def test_a_thousand_events_of_fifty_pages_in_two_tabs_are_all_there_once(
    shop: Shop, page: Page, context: BrowserContext
):
    for number in range(NAVIGATIONS):
        shop.write(QUIET, f"page{number}")

    async def browse(tab: Page, name: str) -> None:
        for number in range(NAVIGATIONS):
            await tab.goto(shop.url(f"page{number}"))
            await tab.evaluate(
                "([name, count]) => { for (let i = 0; i < count; i++) analytics.track(name + i) }",
                [f"{name}{number}.", EVENTS_A_PAGE],
            )

    await asyncio.gather(browse(page, "a"), browse(await context.new_page(), "b"))
    rows = await shop.until_rows(2 * NAVIGATIONS * EVENTS_A_PAGE)
    await shop.settled()

    assert {row["event_text"] for row in rows} == {
        f"{tab}{number}.{i}" for tab in "ab" for number in range(NAVIGATIONS) for i in range(EVENTS_A_PAGE)
    }
    assert await identities(shop) == (1000, 1000)


async def test_a_tab_that_crashes_while_it_sends_leaves_its_events_to_the_other(
    shop: Shop, page: Page, context: BrowserContext, slow_port: Callable[[], Any]
):
    shop.write(QUIET)
    async with slow_port() as port:
        other = await context.new_page()
        for each in (page, other):
            await each.goto(shop.url(port=port))
        async with page.expect_request(lambda request: request.method == "POST"):
            await page.evaluate("analytics.track('In Flight'), analytics.flush(), analytics.track('Waiting'); null")
        async with page.expect_event("crash"):
            with suppress(Error):  # there is no page to arrive at
                await page.goto("chrome://crash", timeout=500)
        await other.evaluate("analytics.track('Other'); null")
        rows = await shop.until_rows(3)

    assert [row["event_text"] for row in rows] == ["In Flight", "Waiting", "Other"]


async def test_what_a_tab_was_told_to_be_patient_about_is_sent_by_another_when_it_is_gone(
    shop: Shop, page: Page, context: BrowserContext
):
    other = await context.new_page()
    url = shop.write(QUIET)
    await other.goto(url)
    await other.wait_for_function("window.analytics?.flush")
    shop.relay.faults.append(Fault(503, retry_after_s=2))
    await page.goto(url)
    await page.evaluate("analytics.on('retrying', () => window.told = true), analytics.track('A'), analytics.flush()")
    await page.wait_for_function("window.told")

    await other.evaluate("analytics.track('B'), new Promise((resolve) => setTimeout(resolve, 1200))")
    await page.close()

    assert {row["event_text"] for row in await shop.until_rows(2)} == {"A", "B"}


async def test_pages_that_wait_for_their_turn_do_not_take_it_along_into_the_back_forward_cache(
    shop: Shop, page: Page, context: BrowserContext
):
    other = await context.new_page()
    await other.goto(shop.write(QUIET))
    await other.evaluate("void navigator.locks.request('hw_send', () => new Promise((done) => (window.done = done)))")
    for number in range(5):
        await page.goto(shop.write(QUIET, f"page{number}"))
        await page.evaluate("analytics.track('Left'), analytics.flush(); null")
    await other.evaluate("done()")
    await other.evaluate("analytics.track('Other'); null")

    assert await shop.until_event("Other")
    assert sorted(await shop.events()) == ["Left"] * 5 + ["Other"]


@pytest.mark.parametrize("then", ["", "location.href = 'next'"], ids=["stays", "leaves"])
async def test_a_page_that_clears_what_scripts_may_keep_loses_no_events(shop: Shop, page: Page, then: str):
    shop.write("the next page has no script", "next")
    await page.goto(shop.write(QUIET))

    await page.evaluate(f"() => {{ analytics.track('Signed Out'); localStorage.clear(); {then} }}")

    assert await shop.until_event("Signed Out")


async def test_a_tab_that_clears_what_scripts_may_keep_costs_the_other_nothing(
    shop: Shop, page: Page, context: BrowserContext
):
    await page.clock.install(time=1_800_000_000)
    await page.clock.pause_at(1_800_000_001)
    other = await context.new_page()
    for each in (page, other):
        await each.goto(shop.write(QUIET))
    await other.evaluate("analytics.track('Other'); null")

    await page.evaluate("analytics.track('Signed Out'), localStorage.clear(), analytics.track('After'); null")
    await page.clock.run_for(2_000)

    assert {row["event_text"] for row in await shop.until_rows(3)} == {"Other", "Signed Out", "After"}
