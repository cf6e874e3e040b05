"""A real Chromium, and a site that serves the script and writes down what comes back.

All tests of this folder share one browser and so one event loop; each has a browser context and a site of its own.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from gateway.script import Asset, Assets, load_assets

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_S = 8
OFF = "page history engagement links forms downloads"
QUIET_TAG = f'<script src="/js/headwater.js" data-write-key="wk" data-off="{OFF}"></script>'
"""Nothing is sent but what the page tells."""


@dataclass
class Answer:
    """What the site says to one POST, once `may_go` is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    may_go: asyncio.Event | None = None


class Site:
    """Pages, the script, and an endpoint that records. `answers` are used up first; then everything is a 200."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.pages: dict[str, str] = {"/": QUIET_TAG, "/next": "<p>next</p>"}
        self.page_headers: dict[str, str] = {}
        self.answers: deque[Answer] = deque()
        self.bodies: list[dict[str, Any]] = []
        self.requests: list[web.Request] = []
        self.paths: list[str] = []
        self.origin = ""
        self._arrived = asyncio.Condition()

    async def respond(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        if request.method == "POST":
            return await self._take(request)
        if asset := self._asset(request.path):
            return serve(asset, self.page_headers)
        if request.path not in self.pages:
            return web.Response(status=204)  # the browser's own wish for an icon
        html = f"<!doctype html><title>{request.path}</title><body>{self.pages[request.path]}</body>"
        return web.Response(text=html, content_type="text/html", headers=self.page_headers)

    def _asset(self, path: str) -> Asset | None:
        if path.startswith("/hw/demo/") and path != "/hw/demo/headwater.js":
            return self.assets.demo[path.removeprefix("/hw/demo/")]
        return {
            "/js/headwater.js": self.assets.loader({"endpoint": "/v1/b"}),
            "/js/lite.js": self.assets.loader({"endpoint": "/v1/b", "writeKey": "lite"}, "lite"),
            f"/js/{self.assets.immutable.file_name}": self.assets.immutable,
            "/hw/demo/headwater.js": self.assets.loader({"endpoint": "/hw/v1/b", "writeKey": "demo"}),
        }.get(path)

    async def _take(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        answer = self.answers.popleft() if self.answers else Answer()
        async with self._arrived:
            self.requests.append(request)
            if answer.status < 300:
                self.bodies.append(body)
            self._arrived.notify_all()
        if answer.may_go is not None:
            await answer.may_go.wait()
        origin = {"Access-Control-Allow-Origin": request.headers.get("Origin", "*")}
        shared = {"Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "Retry-After"}
        return web.json_response(answer.document, status=answer.status, headers=origin | shared | answer.headers)

    def events(self) -> list[dict[str, Any]]:
        """Stored events in the order in which they came."""
        return [event for body in self.bodies for event in body["batch"]]

    def names(self) -> list[str]:
        """Of each stored event: what it is called, or its type."""
        return [event.get("event") or event.get("name") or event["type"] for event in self.events()]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for requests until the condition holds."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(condition)


def serve(asset: Asset, headers: dict[str, str]) -> web.Response:
    """As a browser on localhost would get it."""
    fixed = {"Content-Type": asset.content_type, "ETag": asset.etag, "Content-Encoding": "br", **headers}
    return web.Response(body=asset.brotli, headers=fixed)


@pytest.fixture(scope="session")
def assets() -> Assets:
    return load_assets()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_S * 1000)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def complaints(page: Page) -> list[str]:
    """Errors that a developer would see: uncaught exceptions, and lines on the console."""
    seen: list[str] = []
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("console", lambda line: seen.append(line.text) if line.type in {"error", "warning"} else None)
    return seen


@pytest_asyncio.fixture(loop_scope="session")
async def site(assets: Assets) -> AsyncIterator[Site]:
    site = Site(assets)
    runner = web.ServerRunner(web.Server(site.respond), shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest.fixture
def answer() -> type[Answer]:
    return Answer
