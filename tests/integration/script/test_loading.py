"""How the script gets onto a page, and how it takes over what the page did before it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAG = '<script async src="/js/headwater.js" data-write-key="wk" data-off="engagement"></script>'


async def test_the_snippet_names_the_key_and_its_calls_run_before_the_first_view(page: Page, site: Site):
    filled = site.assets.snippet.replace("SCRIPT_URL", "/js/headwater.js").replace("WRITE_KEY", "from-the-snippet")
    site.pages["/"] = (
        f"<script>{filled}</script>"
        "<script>analytics.identify('u1', {plan: 'pro'}); analytics.track('First'); analytics.track('Second', {n: 2});"
        "analytics.ready(() => analytics.track('Ready'))</script>"
    )

    await page.goto(site.origin)
    await site.until(lambda: len(site.events()) == 5)

    assert site.names() == ["identify", "First", "Second", "Ready", "page"]
    assert {event["userId"] for event in site.events()} == {"u1"}
    assert {body["writeKey"] for body in site.bodies} == {"from-the-snippet"}


async def test_calls_queued_by_segments_own_snippet_lose_its_private_argument(page: Page, site: Site):
    buffered = "{__t: 'bpc', u: 'https://shop.example/', p: '/', t: '', s: '', r: ''}"
    site.pages["/"] = (
        f"<script>window.analytics = [['track', 'Bought', {buffered}], ['page', {buffered}]]</script>" + TAG
    )

    await page.goto(site.origin)
    await site.until(lambda: len(site.events()) == 2)

    assert site.events()[0]["properties"] == {}
    assert site.names() == ["Bought", "page"], "a page that tells its own view gets no other"


async def test_a_script_of_another_vendor_under_the_same_name_is_left_alone(page: Page, site: Site):
    site.pages["/"] = "<script>window.analytics = {initialize() {}, track: () => 'theirs'}</script>" + TAG

    await page.goto(site.origin)

    assert await page.evaluate("analytics.track()") == "theirs"
    assert "/v1/b" not in site.paths


async def test_the_name_can_be_chosen_to_run_beside_another_vendor(page: Page, site: Site):
    site.pages["/"] = TAG.replace("async", 'data-global="headwater"')

    await page.goto(site.origin)
    await page.evaluate("headwater.track('Beside'), headwater.flush()")
    await site.until(lambda: len(site.events()) == 2)

    assert await page.evaluate("typeof analytics") == "undefined"


async def test_without_a_key_it_waits_for_load_and_keeps_what_is_called_meanwhile(page: Page, site: Site):
    site.pages["/"] = '<script src="/js/headwater.js" data-off="engagement"></script>'

    await page.goto(site.origin)
    await page.evaluate("analytics.push(['track', 'Kept'])")
    assert site.bodies == []
    await page.evaluate("analytics.load('by-load'), analytics.flush()")
    await site.until(lambda: len(site.events()) == 2)

    assert ({body["writeKey"] for body in site.bodies}, site.names()) == ({"by-load"}, ["Kept", "page"])


async def test_the_file_that_never_changes_runs_under_its_hash_with_the_tags_settings(
    page: Page, site: Site, complaints: list[str]
):
    pinned = site.assets.immutable
    site.pages["/"] = (
        f'<script async src="/js/{pinned.file_name}" integrity="{pinned.integrity}" crossorigin="anonymous" '
        'data-write-key="wk" data-endpoint="/hw/js/q" data-downloads="xyz" data-click-ids="cid"></script>'
        "<a href='/next.xyz' download>file</a>"
    )

    await page.goto(f"{site.origin}/?cid=7")
    await page.click("a")
    await page.evaluate("analytics.flush()")
    await site.until(lambda: "File Downloaded" in site.names())

    assert {request.path for request in site.requests} == {"/hw/js/q"}
    assert site.events()[0]["context"]["attribution"]["last"]["clickIds"] == {"cid": "7"}
    assert complaints == []
