"""A small upstream in the gateway's place, and the shipped snippets in a real nginx or Caddy in front of it."""

import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, web
from multidict import CIMultiDictProxy
from yarl import URL

CONFIGS = Path(__file__).parents[3] / "configs"
SHIPPED_ADDRESS = "127.0.0.1:8080"
VISITOR = "127.0.0.2"
"""The address that the tests' requests come from: on this machine, and not the proxy's."""


@dataclass(frozen=True)
class Arrival:
    """A request as it reached the upstream."""

    method: str
    target: str
    version: str
    headers: CIMultiDictProxy[str]
    body: bytes
    connection: int


@dataclass
class Upstream:
    """What arrived, and what is to be answered."""

    port: int = 0
    begun: int = 0
    """Requests whose headers came, whether or not the body did."""
    arrivals: list[Arrival] = field(default_factory=list)
    answer: web.Response | None = None
    drop_next: bool = False
    """Close the connection of the next request without an answer, as a daemon does that is going down."""

    async def handle(self, request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        self.begun += 1
        peer_port = request.transport.get_extra_info("peername")[1]
        if self.drop_next:
            self.drop_next = False
            request.transport.abort()
            return web.Response()
        version = f"{request.version.major}.{request.version.minor}"
        body = await request.content.read()
        self.arrivals.append(Arrival(request.method, request.raw_path, version, request.headers, body, peer_port))
        return self.answer or web.json_response({"success": True})


@dataclass(frozen=True)
class Front:
    """A running proxy: where it listens, and where the gateway is mounted on it."""

    kind: str
    origin: URL
    host: str
    mount: str
    logs: Path

    @property
    def base(self) -> str:
        return f"{self.origin}{self.mount}"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    state = Upstream()
    server = web.Server(state.handle, auto_decompress=False)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    state.port = runner.addresses[0][1]
    yield state
    await runner.cleanup()


@pytest.fixture
async def visitor() -> AsyncIterator[ClientSession]:
    """A client at VISITOR that takes any certificate and keeps bodies as they are."""
    connector = TCPConnector(local_addr=(VISITOR, 0), ssl=False)
    async with ClientSession(connector=connector, auto_decompress=False) as session:
        yield session


@pytest.fixture(params=["nginx/subdomain", "nginx/path_prefix", "caddy/subdomain", "caddy/path_prefix"])
def front(request: pytest.FixtureRequest, tmp_path: Path, upstream: Upstream) -> Iterator[Front]:
    kind, variant = request.param.split("/")
    start = start_nginx if kind == "nginx" else start_caddy
    with start(variant, tmp_path, upstream.port) as running:
        yield running


@pytest.fixture(params=["subdomain", "path_prefix"])
def nginx(request: pytest.FixtureRequest, tmp_path: Path, upstream: Upstream) -> Iterator[Front]:
    with start_nginx(request.param, tmp_path, upstream.port) as running:
        yield running


@contextmanager
def start_nginx(variant: str, directory: Path, upstream_port: int) -> Iterator[Front]:
    """nginx with the shipped files; only addresses and certificates differ."""
    port = free_port()
    snippets = directory / "snippets"
    snippets.mkdir()
    (snippets / "headwater-proxy.conf").write_text((CONFIGS / "nginx/proxy.conf").read_text())
    shipped = (CONFIGS / f"nginx/{variant}.conf").read_text()
    if variant == "subdomain":
        origin, host, mount = f"https://127.0.0.1:{port}", "events.shop.example", ""
        make_certificate(directory)
        server = (
            shipped.replace("listen 443", f"listen 127.0.0.1:{port}")
            .replace("listen [::]:443", f"listen [::1]:{port}")
            .replace("/etc/letsencrypt/live/events.shop.example", str(directory))
        )
    else:
        origin, host, mount = f"http://127.0.0.1:{port}", "shop.example", "/u7k2"
        (snippets / "headwater.conf").write_text(shipped)
        server = f"server {{ listen 127.0.0.1:{port}; include snippets/headwater.conf; location / {{ return 404; }} }}"
    pool = (CONFIGS / "nginx/upstream.conf").read_text().replace(SHIPPED_ADDRESS, f"127.0.0.1:{upstream_port}")
    temporary = "".join(
        f"{module}_temp_path {directory}/{module};" for module in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.geteuid() == 0 else ""
    (directory / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {directory}/pid; error_log {directory}/error.log;\n"
        f"events {{}}\nhttp {{ access_log {directory}/access.log; {temporary}\n{pool}\n{server}\n}}\n"
    )
    with running(["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")], port, directory):
        yield Front("nginx", URL(origin), host, mount, directory)


@contextmanager
def start_caddy(variant: str, directory: Path, upstream_port: int) -> Iterator[Front]:
    """Caddy with the shipped file, but for addresses; plain HTTP, since its certificates come from outside."""
    port = free_port()
    host, mount = ("events.shop.example", "") if variant == "subdomain" else ("shop.example", "/u7k2")
    shipped = (CONFIGS / f"caddy/{variant}.Caddyfile").read_text()
    site = shipped.replace(f"\n{host} {{", f"\nhttp://{host}:{port} {{\n\tbind 127.0.0.1")
    (directory / "Caddyfile").write_text(
        "{\n\tadmin off\n}\n" + site.replace(SHIPPED_ADDRESS, f"127.0.0.1:{upstream_port}")
    )
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(directory / "Caddyfile")]
    with running(command, port, directory):
        yield Front("caddy", URL(f"http://127.0.0.1:{port}"), host, mount, directory)


@contextmanager
def running(command: list[str], port: int, directory: Path) -> Iterator[None]:
    """The command for as long as the block runs, entered once `port` takes connections."""
    with (directory / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | {"HOME": str(directory)})
        try:
            while not is_open(port):
                assert process.poll() is None, (directory / "output.log").read_text()
            yield
        finally:
            process.terminate()
            process.wait()


def make_certificate(directory: Path) -> None:
    """A certificate that nobody trusts, under the names that certbot uses."""
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout privkey.pem"
    command = f"openssl req -x509 {key} -out fullchain.pem -days 1 -subj /CN=events.shop.example"
    subprocess.run(command.split(), cwd=directory, check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
