"""A proxy before the gateway that answers a few requests itself, and badly, then passes everything on."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}
ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


@dataclass(frozen=True)
class Fault:
    """What becomes of the first `times` requests with events."""

    name: str
    status: int
    """0: the connection is cut instead of an answer."""
    retry_after_s: int = 0
    times: int = 1
    is_stored: bool = False
    """The gateway has the events and only its answer is lost: the SDK will send what is there already."""
    is_silent: bool = False
    """The client waits in vain: no answer, and the connection stays."""


NONE = Fault("none", 200, times=0)
OVERLOADED = Fault("overloaded", 503, retry_after_s=1)
RATE_LIMITED = Fault("rate_limited", 429, retry_after_s=1)
BROKEN = Fault("broken", 500)
UNANSWERED = Fault("unanswered", 0, is_stored=True)
SILENT = Fault("silent", 0, is_stored=True, is_silent=True)
FAULTS = [RATE_LIMITED, BROKEN, OVERLOADED, UNANSWERED]


class Proxy:
    """Stands where the SDK believes the gateway to be; `url` is that place."""

    def __init__(
        self, target: str, fault: Fault, is_of_events: Callable[[web.Request], bool], http: aiohttp.ClientSession
    ) -> None:
        self.url = ""
        self.fault = fault
        self.left = fault.times
        self.refused: list[str] = []
        """Paths of the requests that had the fault."""
        self._target = target
        self._is_of_events = is_of_events
        self._http = http

    async def handle(self, request: web.Request) -> web.Response:
        if self.left == 0 or not self._is_of_events(request):
            return await self._pass_on(request)
        self.left -= 1
        self.refused.append(request.path)
        if self.fault.is_stored:
            await self._pass_on(request)
        if self.fault.is_silent:
            await asyncio.Event().wait()
        if self.fault.status == 0:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=self.fault.status or 500, headers=self._headers(request), text="a fault of the test")

    def _headers(self, request: web.Request) -> dict[str, str]:
        """What the gateway's own refusals carry: without it a browser would see no status."""
        cors = {
            "Access-Control-Allow-Origin": request.headers.get("Origin", ""),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
        }
        wait = {"Retry-After": str(self.fault.retry_after_s)} if self.fault.retry_after_s else {}
        return {**(cors if "Origin" in request.headers else {}), **wait}

    async def _pass_on(self, request: web.Request) -> web.Response:
        """The very bytes of the body, and the Host that the client asked for."""
        body = await request.read()
        headers = _end_to_end(request.headers)
        headers["X-Forwarded-Proto"] = request.scheme
        async with self._http.request(
            request.method, self._target + request.raw_path, data=body, headers=headers, allow_redirects=False
        ) as answer:
            return web.Response(status=answer.status, headers=_end_to_end(answer.headers), body=await answer.read())


def posts(request: web.Request) -> bool:
    """Events, to most SDKs: whatever is posted."""
    return request.method == "POST"


@asynccontextmanager
async def proxying(
    target: str,
    fault: Fault = NONE,
    *,
    is_of_events: Callable[[web.Request], bool] = posts,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Proxy]:
    """A proxy that listens."""
    async with aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=ADDED_BY_AIOHTTP) as http:
        proxy = Proxy(target, fault, is_of_events, http)
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/{path:.*}", proxy.handle)
        # Not inflated here: the gateway is to see what the SDK compressed.
        runner = web.AppRunner(application, shutdown_timeout=0.1, auto_decompress=False)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
            proxy.url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
            yield proxy
        finally:
            await runner.cleanup()


def _end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)
