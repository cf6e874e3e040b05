"""What stands between a browser and the gateway: a real nginx that serves the site's pages and passes on the gateway's
path, a relay that can answer in the gateway's place, and an uplink that holds bytes back."""

import asyncio
import getpass
import shutil
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from tests.e2e.harness.ports import free_port
from tests.e2e.harness.waiting import until

SNIPPETS = Path(__file__).parents[4] / "configs" / "nginx"
PREFIX = "/u7k2"
"""Where the gateway is mounted on the site's own host."""
STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Pages below /strict/ have it."""
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Fault:
    """An answer in the gateway's place. 0: the connection is cut."""

    status: int
    retry_after_s: int = 0


@dataclass
class Relay:
    """Passes requests on to the gateway. While `faults` has any, the next POST of the present test gets one instead:
    last words of the pages of the test before may come at any time."""

    target: str
    port: int = 0
    folder: str = ""
    """In the address of each page of the present test."""
    faults: deque[Fault] = field(default_factory=deque)
    posts: list[dict[str, str]] = field(default_factory=list)
    """Of each POST of the present test, also those that got a fault: its `path`, `content_type` and `body`."""

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        text = body.decode(errors="replace")
        if request.method == "POST" and (self.folder in text or self.folder in request.headers.get("Referer", "")):
            self.posts.append(
                {"path": request.path, "content_type": request.headers.get("Content-Type", ""), "body": text}
            )
            if self.faults:
                return self._fail(self.faults.popleft(), request)
        return await self._pass_on(request, body)

    def _fail(self, fault: Fault, request: web.Request) -> web.Response:
        if not fault.status:
            assert request.transport is not None
            request.transport.abort()
        wait = {"Retry-After": str(fault.retry_after_s)} if fault.retry_after_s else {}
        return web.Response(status=fault.status or 500, headers=wait)

    async def _pass_on(self, request: web.Request, body: bytes) -> web.Response:
        headers = end_to_end(request.headers)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as http,
            http.request(
                request.method, self.target + request.raw_path, data=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return web.Response(status=answer.status, headers=end_to_end(answer.headers), body=await answer.read())


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP)


@asynccontextmanager
async def relaying(target: str) -> AsyncIterator[Relay]:
    """A relay that listens."""
    relay = Relay(target)
    application = web.Application(client_max_size=64 * 2**20)
    application.router.add_route("*", "/{path:.*}", relay.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        relay.port = runner.addresses[0][1]
        yield relay
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(directory: Path, gateway_port: int) -> AsyncIterator[int]:
    """nginx's port: the files of `directory`/pages for any host name, and the gateway below PREFIX."""
    (directory / "pages").mkdir()
    (directory / "snippets").mkdir()
    shutil.copy(SNIPPETS / "proxy.conf", directory / "snippets" / "headwater-proxy.conf")
    upstream = (SNIPPETS / "upstream.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{gateway_port}")
    port = free_port()
    (directory / "nginx.conf").write_text(
        f"user {getpass.getuser()}; daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log;\n"
        "events {}\n"
        f"http {{ access_log off; default_type text/html; charset utf-8;\n"
        "types { application/pdf pdf; text/javascript js; }\n"
        f"client_body_temp_path {directory}/bodies; proxy_temp_path {directory}/proxied;\n"
        f"fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;\n"
        f"{upstream}\n"
        f"server {{ listen 127.0.0.1:{port}; include {SNIPPETS}/path_prefix.conf;\n"
        f"root {directory}/pages; error_page 404 =200 /empty.html;\n"
        f'location /strict/ {{ add_header Content-Security-Policy "{STRICT_POLICY}" always; '
        "try_files $uri $uri.html =404; }\n"
        "location / { try_files $uri $uri.html =404; }\n"
        "} }\n"
    )
    (directory / "pages" / "empty.html").write_text("<!doctype html><title>empty</title>")
    with _process("nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")):
        await until(lambda: _listens(port), "nginx listens")
        yield port


@contextmanager
def _process(*command: str) -> Iterator[None]:
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()
            server.wait(30)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def slow_uplink(port: int, hold_s: float = 0.4) -> AsyncIterator[int]:
    """A door's port. It holds what the browser sends for a while, and forgets it if the browser hung up meanwhile: on
    localhost everything arrives at once, and no loss would ever show."""

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            await asyncio.sleep(hold_s)
            if not reader.at_eof():
                writer.write(chunk)
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(hold(reader, up_writer))
                directions.create_task(carry(up_reader, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
