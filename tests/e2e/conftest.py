"""A daemon, receivers and a browser for each test; none outlives it. A failing test shows its daemons' logs."""

from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.harness.configuration import Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver, Receiver, receiving

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
DAEMONS = pytest.StashKey[list[Daemon]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for daemon in item.stash.get(DAEMONS, []):
            report.sections.append((f"the end of {daemon.log}", daemon.tail()))
    return report


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A client without limits of its own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
async def make_daemon(
    request: pytest.FixtureRequest, tmp_path: Path, http: aiohttp.ClientSession
) -> AsyncIterator[MakeDaemon]:
    """Makes a daemon that is not started yet."""
    daemons: list[Daemon] = request.node.stash.setdefault(DAEMONS, [])

    def make(plan: Plan) -> Daemon:
        directory = tmp_path / f"daemon-{len(daemons)}"
        directory.mkdir()
        daemons.append(Daemon(directory, plan, http))
        return daemons[-1]

    yield make
    for daemon in daemons:
        daemon.end()


@pytest.fixture
async def make_receiver() -> AsyncIterator[MakeReceiver]:
    """Makes a webhook's receiver that listens."""
    async with AsyncExitStack() as stack:

        async def make() -> Receiver:
            return await stack.enter_async_context(receiving())

        yield make


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> Page:
    """A page of it."""
    return await browser.new_page(viewport={"width": 1440, "height": 900})
