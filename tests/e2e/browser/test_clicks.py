"""What visitors do without the page calling us: links away, downloads, and elements that say what they mean."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.browser.harness.shop import Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAG = tag(attributes='data-off="engagement"')
STAY = "<script>addEventListener('click', (event) => event.preventDefault())</script>"
"""Links lead nowhere: the test is about what is told, not about where they go."""
SHADOW = """<script>
    customElements.define('shop-card', class extends HTMLElement {
        constructor() {
            super();
            this.attachShadow({mode: 'open'}).innerHTML = `<a href="http://other.test/"><i id="inside">away</i></a>
                <p data-track="In The Shadow" data-track-n="1">here</p>`;
        }
    });
</script>"""


async def told(shop: Shop, page: Page) -> list[tuple[str, dict[str, Any]]]:
    """Name and properties of all tracks that there are once nothing is on its way any more."""
    await page.evaluate("analytics.track('End'), analytics.flush()")
    await shop.until_event("End")
    return [(row["event_text"], json.loads(row["properties"])) for row in await shop.rows()][:-1]


async def clicked(shop: Shop, page: Page, body: str) -> list[tuple[str, dict[str, Any]]]:
    """What is told when #it is clicked, on a page that stays."""
    await page.goto(shop.write(STAY + body + TAG))
    await page.wait_for_function("window.analytics?.flush")
    await page.click("#it")
    return await told(shop, page)


@pytest.mark.parametrize(
    "url", ["http://other.test/shoes?size=42#top", "mailto:shop@other.test?subject=Hi", "tel:+491234", "sms:+491234"]
)
async def test_a_link_away_tells_where_it_leads(shop: Shop, page: Page, url: str):
    assert await clicked(shop, page, f'<a href="{url}"><b id="it">away</b></a>') == [("Link Clicked", {"url": url})]


@pytest.mark.parametrize(
    "link",
    [
        '<a id="it" href="next">next</a>',
        '<a id="it" href="#reviews">reviews</a>',
        '<a id="it">no link</a>',
        '<a id="it" href="">here</a>',
        '<a id="it" href="javascript:void(0)">menu</a>',
        '<svg height="9" width="9"><a href="next"><rect id="it" height="9" width="9"/></a></svg>',
        '<span id="it">text</span>',
    ],
)
async def test_what_does_not_lead_away_tells_nothing(shop: Shop, page: Page, link: str):
    assert await clicked(shop, page, link) == []


@pytest.mark.parametrize(
    ("link", "path", "extension"),
    [
        ('<a id="it" href="prices.pdf?v=2#p3">prices</a>', "prices.pdf?v=2#p3", "pdf"),
        ('<a id="it" href="Setup.EXE">setup</a>', "Setup.EXE", "EXE"),
        ('<a id="it" href="report" download>report</a>', "report", None),
    ],
)
async def test_a_download_tells_the_file(shop: Shop, page: Page, link: str, path: str, extension: str | None):
    (event,) = await clicked(shop, page, link)

    named = {"extension": extension} if extension else {}
    assert event == ("File Downloaded", {"url": shop.url(path), **named})


async def test_a_download_from_elsewhere_is_a_download_and_no_link_as_well(shop: Shop, page: Page):
    events = await clicked(shop, page, '<a id="it" href="http://other.test/a.zip">all</a>')

    assert events == [("File Downloaded", {"url": "http://other.test/a.zip", "extension": "zip"})]


async def test_an_element_of_any_kind_says_what_a_click_on_it_means(shop: Shop, page: Page):
    body = """
        <article data-track="Card Opened" data-track-card-id="7" data-track-plan="pro" data-tracking="x" data-other="y">
            <div data-track="Bought" data-track-sku="a b"><b id="it">buy</b></div>
        </article>"""

    assert await clicked(shop, page, body) == [
        ("Bought", {"sku": "a b"}),
        ("Card Opened", {"cardId": "7", "plan": "pro"}),
    ]


async def test_a_router_that_stops_the_click_hides_nothing(shop: Shop, page: Page):
    body = '<p onclick="event.stopImmediatePropagation()"><b id="it" data-track="Pressed">press</b></p>'

    assert await clicked(shop, page, body) == [("Pressed", {})]


async def test_clicks_in_a_shadow_tree_are_seen(shop: Shop, page: Page):
    await page.goto(shop.write(f"{STAY}{SHADOW}<shop-card></shop-card>{TAG}"))
    await page.wait_for_function("window.analytics?.flush")

    await page.click("#inside")
    await page.click("shop-card p")

    assert await told(shop, page) == [("Link Clicked", {"url": "http://other.test/"}), ("In The Shadow", {"n": "1"})]


async def test_a_right_click_opens_a_menu_and_tells_nothing(shop: Shop, page: Page):
    await page.goto(shop.write(f'<a href="http://other.test/" data-track="Pressed">away</a>{TAG}'))
    await page.wait_for_function("window.analytics?.flush")

    await page.click("a", button="right")

    assert await told(shop, page) == []


async def test_track_link_tells_what_its_functions_make_of_the_element(shop: Shop, page: Page):
    body = """<a class="buy" id="mug" href="next">mug</a> <a class="buy" id="pack" href="next">pack</a><script>
        const links = document.querySelectorAll('.buy');
        window.analytics = [
            ['trackLink', links, (link) => 'Chose ' + link.id, (link) => ({to: link.getAttribute('href')})],
            ['trackLink', links[0], 'Chose', {n: 1}],
            ['trackLink', document.querySelector('#missing'), 'Never'],
        ];
    </script>"""
    await page.goto(shop.write(STAY + body + TAG))
    await page.wait_for_function("window.analytics?.flush")

    await page.click("#pack")
    await page.click("#mug")

    assert await told(shop, page) == [
        ("Chose pack", {"to": "next"}),
        ("Chose mug", {"to": "next"}),
        ("Chose", {"n": 1}),
    ]


async def test_ten_of_ten_clicks_that_navigate_arrive_where_the_way_to_the_server_is_slow(
    shop: Shop, browser: Browser, slow_port: Callable[[], Any]
):
    shop.write("a page without the script, which sends nothing for the one before", "next")
    shop.write(f'<a href="next" data-track="Followed">next</a>{TAG}')

    async def follow(stack: AsyncExitStack, port: int) -> None:
        context = await stack.enter_async_context(await browser.new_context())
        page = await context.new_page()
        await page.goto(shop.url(port=port))
        await page.wait_for_function("window.analytics?.flush")
        await page.click("a")
        await page.wait_for_url("**/next")
        await page.close()

    async with slow_port() as port, AsyncExitStack() as stack:
        await asyncio.gather(*(follow(stack, port) for _ in range(10)))
        followed = await shop.until_rows(10)

    assert {row["event_text"] for row in followed} == {"Followed"}
    assert len({row["anonymous_id"] for row in followed}) == 10
