"""One daemon, one nginx and one Chromium for all tests of this folder; each test has a browser context and a folder of
pages of its own. Whatever is asserted is asserted on rows of the warehouse."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.e2e.browser.harness.front import PREFIX, Relay, relaying, serving, slow_uplink
from tests.e2e.browser.harness.shop import Shop
from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, DAEMONS
from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import Daemon

HOSTS = ("shop.test", "other.test", "co.uk")
PATIENCE_MS = 10_000
SOURCE = '[sources.{name}]\nwrite_keys = ["{name}-key"]\nallowed_origins = ["*"]\n[sources.{name}.browser]\n{browser}\n'
SOURCES = {
    "web": "",
    "consent": 'mode = "consent"',
    "cookieless": 'mode = "cookieless"',
    "lite": 'build = "lite"',
    "query": "query_calls = true",
    "dnt": "dnt = true",
    "chunks": "vitals = true\nerrors = true",
    "shared": 'cookie_domain = "shop.test"',
    "linked": 'linker_hosts = ["shop.test", "other.test"]\nlinker_secret = "a-long-random-secret"',
    "owner": 'own_hosts = ["pay.test"]',
    "plain": "page_views = false\nhistory = false\nengagement = false",
}
"""By name, the lines of its browser section. The first is where the script without a source's name sends to."""
PLAN = Plan(
    server=f'path_prefix = "{PREFIX}"\ntrusted_proxies = ["127.0.0.1"]',
    sources="".join(SOURCE.format(name=name, browser=browser) for name, browser in SOURCES.items()),
    more='[script]\npath = "/ab2c"\nname = "k3x9qw"\nformer = ["/zz9d/q2w8er"]\n',
    destinations='[destinations.warehouse]\ntype = "duckdb"\npath = "{duckdb}"\nbatch = { max_wait = "50ms" }\n',
)


@dataclass(frozen=True)
class Front:
    """What runs."""

    daemon: Daemon
    relay: Relay
    port: int
    pages: Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def front(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        daemon = Daemon(tmp_path_factory.mktemp("daemon"), PLAN, http)
        stack.callback(daemon.end)
        await daemon.start()
        relay = await stack.enter_async_context(relaying(daemon.url))
        directory = tmp_path_factory.mktemp("nginx")
        port = await stack.enter_async_context(serving(directory, relay.port))
        yield Front(daemon, relay, port, directory / "pages")


@pytest_asyncio.fixture(loop_scope="session")
async def shop(request: pytest.FixtureRequest, front: Front) -> Shop:
    """This test's part of the site. A failing test shows the daemon's log."""
    request.node.stash[DAEMONS] = [front.daemon]
    front.relay.folder = f"/{secrets.token_hex(6)}/"
    front.relay.faults.clear()
    front.relay.posts.clear()
    return Shop(front.relay.folder, front.port, front.pages, front.daemon, front.relay)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium to which every test host is this machine, and that has a back-forward cache."""
    rules = ",".join(f"MAP {host} 127.0.0.1,MAP *.{host} 127.0.0.1" for host in HOSTS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*CHROMIUM_ARGUMENTS, f"--host-resolver-rules={rules}"],
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor without a past."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
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


@pytest.fixture
def slow_port(shop: Shop) -> Callable[[], Any]:
    """Opens a door to the site behind an uplink that holds every request for 400 ms; answers its port."""
    return lambda: slow_uplink(shop.port)
