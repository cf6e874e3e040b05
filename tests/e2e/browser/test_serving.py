"""How the script's files come: compressed, cached, without cookies, and with all that they need inside; and what else is
at their address."""

import gzip
import time
import uuid
from collections.abc import AsyncIterator

import aiohttp
import brotli
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from gateway.script import load_assets
from tests.e2e.browser.harness.front import PREFIX
from tests.e2e.browser.harness.shop import SCRIPT, Shop, tag

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOLDER = SCRIPT.rpartition("/")[0]
IMMUTABLE = f"{FOLDER}/{load_assets().immutable.file_name}"
CHUNKS = [f"{FOLDER}/{chunk.file_name}" for chunk in load_assets().chunks.values()]
LOADERS = [f"{SCRIPT}.js", f"{FOLDER}/chunks/k3x9qw.js", f"{FOLDER}/lite/k3x9qw.js", f"{PREFIX}/zz9d/q2w8er.js"]
FORMER = f"{PREFIX}/zz9d/q2w8er"


@pytest_asyncio.fixture(loop_scope="session")
async def http(shop: Shop) -> AsyncIterator[aiohttp.ClientSession]:
    """Asks the site, through nginx, and takes what comes as it is."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{shop.port}", auto_decompress=False) as session:
        yield session


@pytest_asyncio.fixture(loop_scope="session")
async def plain_page(browser: Browser) -> AsyncIterator[Page]:
    """A page of a visitor whose browser runs no scripts."""
    context = await browser.new_context(java_script_enabled=False)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("path", [*LOADERS, IMMUTABLE, *CHUNKS])
async def test_each_file_comes_in_three_forms_of_the_same_content(http: aiohttp.ClientSession, path: str):
    forms, etags = {}, set()
    for coding in ("identity", "gzip", "br", "gzip, deflate, br, zstd"):
        async with http.get(path, headers={"Accept-Encoding": coding}) as answer:
            assert answer.status == 200
            assert answer.headers.get("Content-Encoding") == {"identity": None}.get(coding, coding[-8:-6] if "," in coding else coding)
            forms[coding] = await answer.read()
            etags.add(answer.headers["ETag"])

    whole = forms["identity"]
    assert gzip.decompress(forms["gzip"]) == brotli.decompress(forms["br"]) == whole
    assert forms["gzip, deflate, br, zstd"] == forms["br"] < whole
    assert len(etags) == 3
