"""A real nginx with the snippets of configs/nginx: below a path of the site's host, and on a host name of its own."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page

from tests.e2e.harness.configuration import Plan, webhook
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.receiver import MakeReceiver, Receiver
from tests.e2e.harness.sending import Client, Event, ids, track
from tests.e2e.harness.waiting import until

SNIPPETS = Path(__file__).parents[2] / "configs" / "nginx"
PREFIX = "/u7k2"
VISITOR = "127.0.0.2"
"""An address that is not nginx's own: all of 127.0.0.0/8 is this machine."""
PROXY_ALONE = 'trusted_proxies = ["127.0.0.1"]'


async def test_a_gateway_below_a_path_of_the_site(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, page: Page, tmp_path: Path
):
    receiver = await make_receiver()
    daemon = make_daemon(
        Plan(
            server=f'{PROXY_ALONE}\npath_prefix = "{PREFIX}"',
            destinations=webhook("hook", receiver.url),
            more="[demo]\nenabled = true\n",
        )
    )
    await daemon.start()
    port = free_port()
    site = f"server {{ listen 127.0.0.1:{port}; include {SNIPPETS}/path_prefix.conf; }}"

    with nginx(tmp_path, daemon.port, site):
        url = f"http://127.0.0.1:{port}{PREFIX}"
        await the_visitors_address_is_kept(url, receiver, connector=aiohttp.TCPConnector(local_addr=(VISITOR, 0)))
        await page.goto(f"{url}/demo")
        await page.click("[data-add=mug]")
        await page.wait_for_selector("#stored:text-matches('^[2-9]$')")
        await page.wait_for_selector("#pending:text-is('0')")
        assert await page.inner_text("#lost") == "0"

    def added() -> list[Event]:
        return [each for each in receiver.events.values() if each.get("event") == "Product Added"]

    await until(lambda: len(added()) == 1, "what the browser sent has arrived")
    assert added()[0]["context"]["page"]["url"].startswith(f"http://127.0.0.1:{port}{PREFIX}/demo")


async def test_a_gateway_on_a_host_name_of_its_own(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, tmp_path: Path
):
    receiver = await make_receiver()
    daemon = make_daemon(
        Plan(
            server=PROXY_ALONE,
            destinations=webhook("hook", receiver.url),
        )
    )
    await daemon.start()
    port = free_port()
    make_certificate(tmp_path)
    site = (SNIPPETS / "subdomain.conf").read_text()
    site = re.sub(r"listen \[::\]:443.*\n", "", site).replace("listen 443", f"listen 127.0.0.1:{port}")
    site = site.replace("/etc/letsencrypt/live/events.shop.example", str(tmp_path))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
    trusting.check_hostname = False

    with nginx(tmp_path, daemon.port, site):
        connector = aiohttp.TCPConnector(local_addr=(VISITOR, 0), ssl=trusting)
        await the_visitors_address_is_kept(f"https://127.0.0.1:{port}", receiver, connector=connector)


@pytest.mark.parametrize("snippet", ["upstream.conf", "proxy.conf", "path_prefix.conf", "subdomain.conf"])
def test_each_snippet_is_there(snippet: str):
    assert (SNIPPETS / snippet).read_text().startswith("# /etc/nginx/"), "its first line says where it goes"


async def the_visitors_address_is_kept(url: str, receiver: Receiver, connector: aiohttp.TCPConnector) -> None:
    """Also when the visitor claims to come from elsewhere."""
    headers = {"X-Forwarded-For": "203.0.113.9", "Host": "events.shop.example"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        events = [track()]
        await until(lambda: can_connect(url), "nginx listens")
        await Client(url, session).accept(events)
    await until(lambda: ids(events) <= receiver.taken.keys(), "the event has arrived")
    assert receiver.events[events[0]["messageId"]]["context"]["ip"] == VISITOR


def can_connect(url: str) -> bool:
    answered = subprocess.run(["curl", "-ks", "-o", "/dev/null", url], check=False)
    return answered.returncode == 0


@contextmanager
def nginx(directory: Path, gateway_port: int, site: str) -> Iterator[None]:
    """nginx with the snippets where their first lines want them, and the gateway's real port in the upstream."""
    snippets = directory / "snippets"
    snippets.mkdir()
    shutil.copy(SNIPPETS / "proxy.conf", snippets / "headwater-proxy.conf")
    upstream = (SNIPPETS / "upstream.conf").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{gateway_port}")
    (directory / "nginx.conf").write_text(
        f"daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log;\n"
        "events {}\n"
        f"http {{ access_log off;\nclient_body_temp_path {directory}/bodies; proxy_temp_path {directory}/proxied;\n"
        f"fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;\n"
        f"{upstream}\n{site}\n}}\n"
    )
    command = ["nginx", "-p", str(directory), "-c", str(directory / "nginx.conf")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.terminate()
            server.wait(30)


def make_certificate(directory: Path) -> None:
    files = ["-keyout", "privkey.pem", "-out", "fullchain.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example", *files],
        cwd=directory,
        check=True,
        capture_output=True,
    )
