"""How the script's files come: compressed, cached, without cookies, and with all that they need inside; and what
else is below the gateway's path."""

import gzip
from collections.abc import AsyncIterator

import aiohttp
import brotli
import pytest
import pytest_asyncio
from playwright.async_api import Page

from gateway.script import load_assets
from tests.e2e.browser.harness.front import PREFIX
from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLDER = SCRIPT.rpartition("/")[0]
LOADERS = [f"{SCRIPT}.js", f"{FOLDER}/chunks/k3x9qw.js", f"{FOLDER}/lite/k3x9qw.js", f"{PREFIX}/zz9d/q2w8er.js"]
NEVER_CHANGING = [f"{FOLDER}/{asset.file_name}" for asset in (load_assets().immutable, *load_assets().chunks.values())]


@pytest_asyncio.fixture(loop_scope="session")
async def http(shop: Shop) -> AsyncIterator[aiohttp.ClientSession]:
    """Asks the site's nginx, with the visitor's cookie, and takes what comes as it is."""
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{shop.port}", auto_decompress=False, headers={"Cookie": "hw=a-visitor.1"}
    ) as session:
        yield session


@pytest.mark.parametrize("path", LOADERS + NEVER_CHANGING)
async def test_each_file_has_three_forms_of_one_content_each_with_its_own_validator(
    http: aiohttp.ClientSession, path: str
):
    bodies, etags = {}, set()
    for asked, coding in {"identity": "", "gzip": "gzip", "br": "br", "gzip, deflate, br, zstd": "br"}.items():
        async with http.get(path, headers={"Accept-Encoding": asked}) as answer:
            assert (answer.status, answer.headers.get("Content-Encoding", "")) == (200, coding)
            assert "Accept-Encoding" in answer.headers.getall("Vary")
            bodies[coding] = await answer.read()
            etags.add(answer.headers["ETag"])

    assert gzip.decompress(bodies["gzip"]) == brotli.decompress(bodies["br"]) == bodies[""]
    assert len(bodies["br"]) < len(bodies["gzip"]) < len(bodies[""])
    assert len(etags) == 3


@pytest.mark.parametrize("coding", ["identity", "gzip", "br"])
@pytest.mark.parametrize("path", [LOADERS[0], NEVER_CHANGING[0]])
async def test_whoever_has_a_file_is_told_that_it_is_the_same(http: aiohttp.ClientSession, path: str, coding: str):
    async with http.get(path, headers={"Accept-Encoding": coding}) as answer:
        etag = answer.headers["ETag"]
    async with http.get(path, headers={"Accept-Encoding": coding, "If-None-Match": etag}) as answer:
        assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", etag)
    async with http.get(path, headers={"Accept-Encoding": coding, "If-None-Match": '"another"'}) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", LOADERS + NEVER_CHANGING)
async def test_what_the_headers_of_a_file_say(http: aiohttp.ClientSession, path: str):
    async with http.get(path) as answer:
        headers = answer.headers

    long_lived, short_lived = "public, max-age=31536000, immutable", "public, max-age=300, stale-while-revalidate=86400"
    assert headers["Cache-Control"] == (long_lived if path in NEVER_CHANGING else short_lived)
    assert headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in headers, "caches may keep it for everybody"


async def test_a_browser_that_has_the_script_does_not_load_it_again(shop: Shop, page: Page):
    await page.goto(shop.write(tag()))
    await page.goto(shop.write(tag(), "second"))
    await shop.until_rows(2, "pages")

    script = "performance.getEntriesByType('resource').find(({name}) => name.endsWith('.js'))"
    assert await page.evaluate(f"{script}.transferSize") == 0


@pytest.mark.parametrize(("source", "chunks"), [("", []), ("lite", []), ("chunks", ["vitals", "errors"])])
async def test_a_page_view_costs_the_page_the_script_and_one_request(
    shop: Shop, page: Page, source: str, chunks: list[str]
):
    """The site's settings are inside the script. Only where they want chunks are there more files."""
    asked: list[tuple[str, str]] = []
    page.on("request", lambda request: asked.append((request.method, request.url)))
    url = shop.write(tag(source))
    await page.goto(url)
    await shop.until_rows(1, "pages")

    script = f"{FOLDER}/{source}/k3x9qw.js" if source else f"{SCRIPT}.js"
    files = [script, *(f"{FOLDER}/{load_assets().chunks[name].file_name}" for name in chunks)]
    origin = f"http://127.0.0.1:{shop.port}"
    assert sorted(asked) == sorted(
        [("GET", url), ("POST", f"{origin}{SCRIPT}"), *(("GET", f"{origin}{file}") for file in files)]
    )


async def test_crawlers_are_kept_out(http: aiohttp.ClientSession):
    async with http.get(f"{PREFIX}/robots.txt") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert await answer.text() == "User-agent: *\nDisallow: /\n"
