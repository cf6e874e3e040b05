"""What the script tells the server of who the visitor is, beside its events, and what it makes of the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.integration.script.conftest import Answer, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHO = "analytics.user().anonymousId()"


def frames(site: Site) -> list[tuple[str | None, int]]:
    """Of each request that the server took: `identity`, and how many events it had."""
    return [(body.get("identity"), len(body["batch"])) for body in site.bodies]


async def test_the_page_takes_over_who_the_server_says_it_is(page: Page, site: Site, answer: type[Answer]):
    site.answers.append(answer(document={"anonymousId": "of-the-cookie"}))
    await page.goto(site.origin)
    before = await page.evaluate(WHO)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    await page.reload()
    await page.evaluate("analytics.track('B'), analytics.flush()")

    assert [event["anonymousId"] for event in site.events()] == [before, "of-the-cookie"]
    assert [body["anonymousId"] for body in site.bodies] == [before, "of-the-cookie"]
    assert frames(site) == [(None, 1), (None, 1)], "what the server said needs no answer"


async def test_an_answer_that_comes_too_late_says_nothing_of_who_it_is_now(
    page: Page, site: Site, answer: type[Answer]
):
    gate = asyncio.Event()
    site.answers.append(answer(document={"anonymousId": "of-the-cookie"}, may_go=gate))
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A'), void analytics.flush()")
    await site.until(lambda: bool(site.bodies))
    await page.evaluate("analytics.setAnonymousId('chosen'); analytics.track('B'); null")
    gate.set()
    await site.until(lambda: len(site.bodies) == 2)

    assert (site.bodies[1]["anonymousId"], site.bodies[1].get("identity")) == ("chosen", "rotate")
    assert await page.evaluate(WHO) == "chosen"


@pytest.mark.parametrize(
    "call",
    ["analytics.reset()", "analytics.setAnonymousId('chosen')", "analytics.identify('a'), analytics.identify('b')"],
)
async def test_the_server_is_told_to_follow_until_it_has_heard_it(
    page: Page, site: Site, answer: type[Answer], call: str
):
    site.answers.extend([answer(), answer(503, {"Retry-After": "300"})])
    await page.goto(site.origin)
    await page.evaluate("analytics.track('A'), analytics.flush()")
    await page.evaluate(f"async () => {{ {call}; await analytics.flush() }}")
    assert site.bodies[1:] == [], "the second attempt failed"

    await page.goto(site.origin)
    await page.evaluate("analytics.flush()")
    await page.evaluate("analytics.track('B'), analytics.flush()")

    assert [identity for identity, _ in frames(site)] == [None, "rotate", None]
    assert site.bodies[1]["anonymousId"] == site.bodies[2]["anonymousId"] == await page.evaluate(WHO)
    assert site.bodies[0]["anonymousId"] != site.bodies[1]["anonymousId"]


async def test_it_is_told_also_when_nothing_else_happens(page: Page, site: Site):
    await page.goto(site.origin)

    await page.evaluate("analytics.reset()")
    await site.until(lambda: bool(site.bodies))

    assert frames(site) == [("rotate", 0)]


@pytest.mark.parametrize("call", ["0", "analytics.reset()"])
async def test_before_a_visitor_agrees_the_server_is_told_to_keep_nothing(page: Page, site: Site, call: str):
    site.pages["/"] = site.pages["/"].replace("data-off", 'data-mode="cookieless" data-off')
    await page.goto(site.origin)

    await page.evaluate(f"async () => {{ {call}; analytics.track('A'); await analytics.flush() }}")

    assert {identity for identity, _ in frames(site)} == {"cookieless"}


async def test_a_link_from_another_site_is_handed_on_once_and_leaves_the_address(
    page: Page, site: Site, answer: type[Answer]
):
    site.answers.extend([answer(503, {"Retry-After": "300"}), answer(document={"anonymousId": "of-there"})])
    await page.goto(f"{site.origin}/?a=%20b&_hw=id.123.sign#top")
    where = await page.evaluate("[location.search, location.hash]")
    await page.evaluate("async () => { for (const name of 'ABC') { analytics.track(name); await analytics.flush() } }")

    assert where == ["?a=+b", "#top"]
    assert [(body.get("link"), len(body["batch"])) for body in site.bodies] == [("id.123.sign", 2), (None, 1)]
    assert "_hw" not in str([event["context"] for event in site.events()])
    assert await page.evaluate(WHO) == "of-there"


async def test_whoever_is_identified_here_stays_who_they_are(page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate("analytics.identify('u'), analytics.flush()")

    await page.goto(f"{site.origin}/?_hw=id.123.sign")
    await page.evaluate("analytics.track('A'), analytics.flush()")

    assert [body.get("link") for body in site.bodies] == [None, None]
    assert await page.evaluate("location.search") == ""
