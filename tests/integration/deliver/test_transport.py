"""The transport alone: what it verifies, and what it calls unreachable."""

import io
import ssl
import subprocess
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.deliver.transport import MAX_ANSWER_BYTES, UnreachableError, open_transport
from gateway.destinations.http_messages import Request


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(self_signed: ssl.SSLContext):
    async def never(_request: web.Request) -> web.Response:
        raise AssertionError("a request was sent")

    app = web.Application()
    app.router.add_post("/in", never)
    server = TestServer(app, scheme="https")
    await server.start_server(ssl=self_signed)
    async with open_transport(io.BytesIO()) as carry:
        with pytest.raises(UnreachableError, match=r"the certificate of .* is not accepted: self-signed certificate"):
            await carry(Request(str(server.make_url("/in")), b"{}"), 5)
    await server.close()


async def test_no_more_than_the_start_of_an_answer_is_kept():
    async def talkative(_request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 10 * MAX_ANSWER_BYTES, headers={"X-Thing": "1"})

    app = web.Application()
    app.router.add_post("/in", talkative)
    async with TestServer(app) as server, open_transport(io.BytesIO()) as carry:
        response = await carry(Request(str(server.make_url("/in")), b"{}"), 5)

    assert len(response.body) == MAX_ANSWER_BYTES
    assert response.headers["x-thing"] == "1"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1/?key=s3cret", "^cannot connect to 127.0.0.1:1: connection refused$"),
        (
            "https://no-such-host.invalid/",
            "^cannot connect to no-such-host.invalid:443: no address is known for this name$",
        ),
        ("http://[::1", "not a URL"),
        ("gopher://127.0.0.1/", "not a URL"),
    ],
)
async def test_an_address_that_cannot_be_reached_says_so(url: str, words: str):
    async with open_transport(io.BytesIO()) as carry:
        with pytest.raises(UnreachableError, match=words):
            await carry(Request(url, b""), 5)


async def test_standard_output_that_is_closed_is_unreachable():
    class Closed(io.BytesIO):
        def write(self, _data: object) -> int:
            raise BrokenPipeError

    async with open_transport(Closed()) as carry:
        with pytest.raises(UnreachableError, match="BrokenPipeError"):
            await carry(Request("stdout:", b"line\n"), 5)
