"""The site of the pages that browser drivers run in: on another origin than the gateway's, as a shop's would be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.e2e.sdks.harness.drivers import DRIVERS

ESBUILD = DRIVERS.parent / "node_modules" / ".bin" / "esbuild"
QUERY = "utm_source=news&utm_medium=email&utm_campaign=spring&gclid=GCLID-1"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Lantern Shop</title><link rel="icon" href="data:,">{scripts}</head>
<body><h1>Lantern Shop</h1><a id="next" href="/next">Next</a></body>
</html>
"""


class Site:
    """Serves `/shop/FILE`, a page with the driver FILE bundled into it, and `/pages/NAME`, what `heads` has of that
    name in an otherwise empty page."""

    def __init__(self) -> None:
        self.url = ""
        self.heads: dict[str, str] = {}
        self._bundles: dict[str, bytes] = {}

    def address(self, file: str) -> str:
        """Where the page of a driver is."""
        return f"{self.url}/shop/{file}?{QUERY}"

    async def page(self, request: web.Request) -> web.Response:
        source = f'<script src="/bundles/{request.match_info["file"]}"></script>'
        return web.Response(text=PAGE.format(scripts=source), content_type="text/html")

    async def own_page(self, request: web.Request) -> web.Response:
        head = self.heads.get(request.path.removeprefix("/pages/"), "")
        return web.Response(text=PAGE.format(scripts=head), content_type="text/html")

    async def bundle(self, request: web.Request) -> web.Response:
        file = request.match_info["file"]
        if file not in self._bundles:
            self._bundles[file] = await bundled(DRIVERS / file)
        return web.Response(body=self._bundles[file], content_type="text/javascript", charset="utf-8")


async def bundled(entry: Path) -> bytes:
    """The driver and its SDK as one script; what it exports is in the page's `driver`."""
    options = ["--bundle", "--format=iife", "--global-name=driver", "--target=es2020", "--log-level=warning"]
    assert ESBUILD.exists(), f"{ESBUILD} is missing; `make test` installs it"
    process = await asyncio.create_subprocess_exec(
        ESBUILD, entry, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out


@asynccontextmanager
async def serving_site() -> AsyncIterator[Site]:
    """A site that listens, as localhost. The gateway is 127.0.0.1: to a browser that is another site."""
    site = Site()
    application = web.Application()
    application.router.add_get("/shop/{file:.+}", site.page)
    application.router.add_get("/bundles/{file:.+}", site.bundle)
    application.router.add_get("/{path:.*}", site.own_page)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.url = f"http://localhost:{runner.addresses[0][1]}"
        yield site
    finally:
        await runner.cleanup()
