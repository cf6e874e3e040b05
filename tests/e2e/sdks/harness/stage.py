"""Where drivers run: processes for node and Python, pages of one real Chromium for browsers."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.e2e.conftest import CHROMIUM, CHROMIUM_ARGUMENTS
from tests.e2e.sdks.harness.drivers import Driver
from tests.e2e.sdks.harness.site import Site, serving_site

RUN_PYTHON = [sys.executable, str(Path(__file__).with_name("run.py"))]
RUN_NODE = ["node", str(Path(__file__).with_name("run.mjs"))]
ENDS_WITHIN_S = 60.0


class Stage:
    """A browser and a site, used by drivers one after the other or at once."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self.site = site
        self._browser = browser

    async def run(self, driver: Driver, host: str) -> str:
        """Run a driver of a process to its end, which must be a good one. What it printed."""
        assert not driver.runs_in_a_browser
        command = [*(RUN_PYTHON if driver.path.suffix == ".py" else RUN_NODE), str(driver.path)]
        process = await asyncio.create_subprocess_exec(
            *command,
            orjson.dumps(driver.job(host)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            printed, _ = await asyncio.wait_for(process.communicate(), ENDS_WITHIN_S)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, printed.decode()
        return printed.decode()

    @asynccontextmanager
    async def visiting(self, address: str) -> AsyncIterator[Page]:
        """A page in a browser without a past. It asks only us: an SDK that also asks its vendor fails the test."""
        context = await self._browser.new_context(ignore_https_errors=True)
        strangers: list[str] = []
        context.on("request", lambda request: strangers.append(request.url) if _is_strange(request.url) else None)
        page = await context.new_page()
        await page.goto(address)
        yield page
        await context.close()
        assert strangers == []

    @asynccontextmanager
    async def page(self, driver: Driver, host: str) -> AsyncIterator[Page]:
        """A page in which the driver has run. It is open until the context ends."""
        async with self.visiting(self.site.address(driver.file)) as page:
            await page.evaluate("job => driver.run(job)", driver.job(host))
            yield page

    @asynccontextmanager
    async def driving(self, driver: Driver, host: str) -> AsyncIterator[BrowserContext | None]:
        """The driver has run when this begins. A page goes on trying until it ends, a process has ended already."""
        if driver.runs_in_a_browser:
            async with self.page(driver, host) as page:
                yield page.context
        else:
            await self.run(driver, host)
            yield None


def _is_strange(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and parts.hostname not in {"localhost", "127.0.0.1"}


@asynccontextmanager
async def staging() -> AsyncIterator[Stage]:
    """A stage that is set."""
    async with serving_site() as site, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield Stage(browser, site)
        await browser.close()
