"""Pages that forbid, break or misuse what the script needs. It may do less there; it never breaks the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
DENY_STORAGE = """
    const deny = () => { throw new DOMException('denied', 'SecurityError') };
    Object.defineProperty(window, 'localStorage', {get: deny});
    Object.defineProperty(Document.prototype, 'cookie', {get: deny, set: deny});
"""
SEND = "analytics.identify('u', {a: 1}), analytics.track('A'), analytics.flush()"


async def test_without_storage_and_cookies_it_works_in_memory(page: Page, site: Site, complaints: list[str]):
    await page.add_init_script(DENY_STORAGE)
    await page.goto(site.origin)
    await page.evaluate(SEND)
    await site.until(lambda: len(site.events()) == 2)

    assert [event["userId"] for event in site.events()] == ["u", "u"]
    assert len({event["anonymousId"] for event in site.events()}) == 1
    assert complaints == []


async def test_in_a_sandboxed_frame_it_works_in_memory(page: Page, site: Site, complaints: list[str]):
    site.pages["/frame"] = site.pages["/"]
    site.pages["/"] = '<iframe sandbox="allow-scripts" src="/frame"></iframe>'
    await page.goto(site.origin)
    (frame,) = [frame for frame in page.frames if frame.url.endswith("/frame")]
    await frame.evaluate(SEND)
    await site.until(lambda: len(site.events()) == 2)

    assert site.requests[0].headers["Origin"] == "null"
    assert complaints == []


async def test_with_a_full_disk_it_works_in_memory(page: Page, site: Site, complaints: list[str]):
    site.pages["/"] = "<script>localStorage.filler = 'x'.repeat(5 * 1024 * 1024 - 10)</script>" + site.pages["/"]
    await page.goto(site.origin)
    await page.evaluate(SEND)
    await site.until(lambda: len(site.events()) == 2)

    assert [event["userId"] for event in site.events()] == ["u", "u"]
    assert complaints == []


async def test_a_page_that_clears_its_storage_loses_no_events(page: Page, site: Site):
    await page.goto(site.origin)
    await page.evaluate("analytics.track('Signed Out'), localStorage.clear(), analytics.flush()")
    await site.until(lambda: bool(site.events()))

    assert site.names() == ["Signed Out"]


async def test_the_strictest_content_security_policy_is_kept(page: Page, site: Site, complaints: list[str]):
    site.page_headers["Content-Security-Policy"] = STRICT_POLICY
    site.pages["/"] = '<script async src="/js/headwater.js" data-write-key="wk"></script>'
    await page.goto(site.origin)
    await site.until(lambda: bool(site.events()))

    assert site.names() == ["page"]
    assert complaints == []


async def test_foreign_values_in_our_storage_are_survived(page: Page, site: Site, complaints: list[str]):
    site.pages["/"] = (
        "<script>document.cookie = 'hw_id=%E0%A4%A; path=/'; localStorage.hw_person = '{broken';"
        "localStorage['hw_out:'] = 'x'; localStorage['hw_out:a:b:c'] = ''</script>" + site.pages["/"]
    )
    await page.goto(site.origin)
    await page.evaluate(SEND)
    await site.until(lambda: len(site.events()) >= 2)

    assert complaints == []
    assert site.names()[-2:] == ["identify", "A"]
