"""How a request travels: by the scheme of its URL.

Destinations are named by the owner's configuration alone, never by an event, so an address inside the owner's network
is the owner's choice; redirects are not followed, because that choice would then be the peer's.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import BinaryIO
from urllib.parse import urlsplit

import aiohttp

from gateway import __version__
from gateway.destinations.http_messages import Publication, Request, Response
from gateway.model.errors import HeadwaterError

MAX_ANSWER_BYTES = 64 * 1024

Carry = Callable[[Request | Publication, float], Awaitable[Response]]
"""Sends one request and gives the answer, within a number of seconds. Raises UnreachableError."""


class UnreachableError(HeadwaterError):
    """No answer came: the request may succeed later."""


@asynccontextmanager
async def open_transport(stdout: BinaryIO) -> AsyncIterator[Carry]:
    """Ready to carry for every destination of the daemon.

    The pool of connections has no limit of its own: each destination bounds its requests in flight, and a shared limit
    would let one that hangs keep the others waiting.
    """
    connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60)
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"Headwater/{__version__}"},
        skip_auto_headers=("Content-Type",),
    )
    writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stdout")

    async def carry(request: Request | Publication, timeout_s: float) -> Response:
        assert isinstance(request, Request), "kinds that publish have a broker"
        scheme = request.url.partition(":")[0]
        if scheme == "stdout":
            return await _print(request, timeout_s, writer, stdout)
        return await _post(request, timeout_s, session)

    try:
        async with session:
            yield carry
    finally:
        writer.shutdown(wait=False, cancel_futures=True)


async def _post(request: Request, timeout_s: float, session: aiohttp.ClientSession) -> Response:
    """Over HTTP: certificates verified, redirects not followed, everything within the timeout."""
    try:
        async with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as answer:
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status, headers, await _start_of(answer.content))
    except TimeoutError as error:
        raise UnreachableError(f"no answer within {timeout_s:g} s") from error
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
        # Neither the message nor its cause may show the URL: vendors take secrets in the query.
        raise UnreachableError("the address is not a URL that can be posted to") from None
    except (aiohttp.ClientError, OSError) as error:
        raise UnreachableError(_in_words(error, request.url)) from error


def _in_words(error: aiohttp.ClientError | OSError, url: str) -> str:
    """What failed at which host and port. The rest of the URL may hold secrets."""
    parts = urlsplit(url)
    peer = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    match error:
        case aiohttp.ClientConnectorCertificateError():
            cause = error.certificate_error
            words = f"the certificate of {peer} is not accepted: {getattr(cause, 'verify_message', cause)}"
        case aiohttp.ClientConnectorSSLError():
            words = f"no TLS with {peer}: {getattr(error.os_error, 'reason', error.os_error)}"
        case aiohttp.ClientConnectorDNSError():
            words = f"cannot connect to {peer}: no address is known for this name"
        case aiohttp.ClientConnectorError(os_error=OSError(errno=int(number))):
            words = f"cannot connect to {peer}: {os.strerror(number).lower()}"
        case aiohttp.ServerDisconnectedError():
            words = f"{peer} closed the connection before it answered"
        case aiohttp.ClientResponseError():
            words = f"{peer} does not answer as HTTP has it: {error.message}"
        case OSError(errno=int(number)):
            words = f"the connection to {peer} broke: {os.strerror(number).lower()}"
        case _:
            words = f"{peer}: {type(error).__name__}: {error}"
    return words


async def _start_of(content: aiohttp.StreamReader) -> bytes:
    """The first MAX_ANSWER_BYTES; the connection of a longer answer is closed instead of being read to its end."""
    start = bytearray()
    async for chunk in content.iter_any():
        start += chunk
        if len(start) >= MAX_ANSWER_BYTES:
            break
    return bytes(start[:MAX_ANSWER_BYTES])


async def _print(request: Request, timeout_s: float, writer: ThreadPoolExecutor, stdout: BinaryIO) -> Response:
    """To standard output, in a thread of its own: a pipe that nobody reads holds up only this destination."""

    def write() -> None:
        stdout.write(request.body)
        stdout.flush()

    try:
        async with asyncio.timeout(timeout_s):
            await asyncio.get_running_loop().run_in_executor(writer, write)
    except (TimeoutError, OSError) as error:
        raise UnreachableError(f"standard output: {type(error).__name__}") from error
    return Response(200)
