"""Links behave exactly as they do without the script: nothing is prevented, delayed, or opened elsewhere."""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from tests.e2e.browser.harness.shop import Shop, tag
from tests.e2e.harness.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHOUT, WITH = "", tag(attributes='data-off="engagement"')
TELL = """<script>
    addEventListener('click', (event) => console.log('prevented', event.defaultPrevented));
    addEventListener('auxclick', (event) => console.log('prevented', event.defaultPrevented));
</script>"""
"""The last to hear of a click says what became of it."""
ROUTER = """<script>
    document.addEventListener('click', (event) => {
        event.preventDefault();
        history.pushState({}, '', event.target.pathname);
    });
</script>"""


@pytest.mark.parametrize("script", [WITHOUT, WITH], ids=["without", "with"])
@pytest.mark.parametrize(
    ("attributes", "how"),
    [
        ("", {}),
        ("", {"modifiers": ["Control"]}),
        ("", {"modifiers": ["Shift"]}),
        ("", {"button": "middle"}),
        ('target="_blank"', {}),
        ('target="named"', {}),
    ],
    ids=["click", "ctrl", "shift", "middle", "blank", "named"],
)
async def test_a_link_opens_what_and_where_it_always_does(
    shop: Shop, page: Page, context: BrowserContext, script: str, attributes: str, how: dict[str, Any]
):
    opened = ["index", "next"] if attributes or how else ["next"]
    said = listen(page)
    shop.write("next", "next")
    link = f'<a href="{shop.url("next", host="other.test")}" {attributes}>next</a>'
    await page.goto(shop.write(link + TELL + script))
    await page.wait_for_function(f"{bool(script):d} ? window.analytics?.flush : true")

    await page.click("a", **how)
    if script:
        await shop.until_event("Link Clicked")

    await until(lambda: names(context) == opened, f"{opened} are open")
    assert said == ["prevented false"]


@pytest.mark.parametrize("script", [WITHOUT, WITH], ids=["without", "with"])
async def test_an_app_with_a_router_of_its_own_goes_on_preventing_and_never_reloads(
    shop: Shop, page: Page, context: BrowserContext, script: str
):
    said = listen(page)
    await page.goto(shop.write('<a href="second" data-track="Followed">second</a>' + ROUTER + TELL + script))
    await page.wait_for_function(f"{bool(script):d} ? window.analytics?.flush : true")
    await page.evaluate("window.isSamePage = true")

    await page.click("a")
    if script:
        assert [view["path"] for view in await shop.until_rows(2, "pages")] == [
            f"{shop.folder}index",
            f"{shop.folder}second",
        ]
        await shop.until_event("Followed")

    assert names(context) == ["second"]
    assert said == ["prevented true"]
    assert await page.evaluate("isSamePage") is True


@pytest.mark.parametrize("script", [WITHOUT, WITH], ids=["without", "with"])
async def test_a_form_goes_where_it_always_does(shop: Shop, page: Page, context: BrowserContext, script: str):
    shop.write("next", "next")
    fields = '<input name="q" value="mug"><button name="by" value="button">go</button>'
    await page.goto(shop.write(f'<form id="search" action="next">{fields}</form>{script}'))
    await page.wait_for_function(f"{bool(script):d} ? window.analytics?.flush : true")

    await page.click("button")
    if script:
        await shop.until_event("Form Submitted")

    await until(lambda: names(context) == ["next?q=mug&by=button"], "the form is sent")


def listen(page: Page) -> list[str]:
    """What the page says on its console."""
    said: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        said.append(line.text)

    page.on("console", hear)
    return said


def names(context: BrowserContext) -> list[str]:
    """The pages that are open, sorted."""
    return sorted(page.url.rpartition("/")[2] for page in context.pages)
