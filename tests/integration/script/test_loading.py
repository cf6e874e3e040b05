"""How the script gets onto a page, and how it takes over what the page did before it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.integration.script.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAG = '<script async src="/js/headwater.js" data-write-key="wk"></script>'


def snippet(site: Site) -> str:
    filled = site.assets.snippet.replace("SCRIPT_URL", "/js/headwater.js").replace("WRITE_KEY", "wk")
    return f"<script>{filled}</script>"


async def test_calls_made_before_the_script_is_there_are_replayed_in_order(page: Page, site: Site):
    site.pages["/"] = snippet(site) + (
        "<script>analytics.identify('u1', {plan: 'pro'}); analytics.track('First'); analytics.track('Second', {n: 2});"
        "analytics.ready(() => analytics.track('Ready'))</script>"
    )

    await page.goto(site.origin)
    await site.until(lambda: len(site.events()) == 5)

    assert site.names() == ["page", "identify", "First", "Second", "Ready"]
    assert [event["userId"] for event in site.events()] == [None, "u1", "u1", "u1", "u1"]
    assert {body["writeKey"] for body in site.bodies} == {"wk"}


async def test_one_tag_alone_sends_the_page_view(page: Page, site: Site):
    site.pages["/"] = TAG

    await page.goto(site.origin)
    await site.until(lambda: bool(site.events()))

    assert [event["type"] for event in site.events()] == ["page"]


async def test_one_tag_takes_calls_from_a_plain_array(page: Page, site: Site):
    site.pages["/"] = TAG + "<script>(window.analytics = window.analytics || []).push(['track', 'Early'])</script>"

    await page.goto(site.origin)
    await site.until(lambda: len(site.events()) == 2)

    assert site.names() == ["page", "Early"]


async def test_one_tag_leaves_the_page_view_to_a_page_that_makes_its_own(page: Page, site: Site):
    site.pages["/"] = "<script>window.analytics = [['page', 'Docs', 'Home']]</script>" + TAG

    await page.goto(site.origin)
    await site.until(lambda: bool(site.events()))

    assert [(event["category"], event["name"]) for event in site.events()] == [("Docs", "Home")]


async def test_a_second_tag_changes_nothing(page: Page, site: Site):
    site.pages["/"] = TAG + TAG.replace("headwater.js", "headwater.js?again")

    await page.goto(site.origin)
    await page.evaluate("analytics.track('Once'), analytics.flush()")
    await site.until(lambda: len(site.events()) >= 2)

    assert site.names() == ["page", "Once"]


async def test_a_reference_taken_before_the_script_came_goes_on_working(page: Page, site: Site):
    site.pages["/"] = "<script>window.analytics = []; window.early = window.analytics</script>" + TAG

    await page.goto(site.origin)
    await page.evaluate("early.push(['track', 'Pushed']), early.track('Called'), early.flush()")
    await site.until(lambda: len(site.events()) == 3)

    assert site.names() == ["page", "Pushed", "Called"]


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


async def test_calls_queued_by_segments_own_snippet_lose_its_private_argument(page: Page, site: Site):
    buffered = "{__t: 'bpc', u: 'https://shop.example/', p: '/', t: '', s: '', r: ''}"
    site.pages["/"] = (
        f"<script>window.analytics = [['track', 'Bought', {buffered}], ['page', {buffered}]]</script>" + TAG
    )

    await page.goto(site.origin)
    await site.until(lambda: len(site.events()) == 2)

    assert site.events()[0]["properties"] == {}


async def test_load_names_key_and_endpoint_when_the_tag_does_not(page: Page, site: Site):
    site.pages["/"] = '<script src="/js/headwater.js"></script>'

    await page.goto(site.origin)
    await page.evaluate("analytics.push(['track', 'Kept'])")
    await page.evaluate("analytics.load('other', {endpoint: '/elsewhere/v1/b'}), analytics.flush()")
    await site.until(lambda: bool(site.events()))

    assert (site.requests[0].path, site.bodies[0]["writeKey"], site.names()) == ("/elsewhere/v1/b", "other", ["Kept"])


async def test_api_host_is_understood_as_segment_writes_it(page: Page, site: Site):
    site.pages["/"] = '<script src="/js/headwater.js"></script>'

    await page.goto(site.origin)
    await page.evaluate(
        "host => {analytics.load('wk', {apiHost: host}); analytics.track('A'), analytics.flush()}", f"{site.origin}/v1"
    )
    await site.until(lambda: bool(site.events()))

    assert site.requests[0].path == "/v1/b"


async def test_the_immutable_file_runs_under_its_integrity_hash(page: Page, site: Site, complaints: list[str]):
    site.pages["/"] = (
        f'<script async src="/js/{site.assets.immutable.file_name}" integrity="{site.assets.immutable.integrity}" '
        'data-write-key="wk" data-endpoint="/hw/v1/b"></script>'
    )

    await page.goto(site.origin)
    await site.until(lambda: bool(site.events()))

    assert site.requests[0].path == "/hw/v1/b"
    assert complaints == []
