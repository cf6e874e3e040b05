"""A webhook's receiver: a real server that writes down what came and answers as the test wants."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
from aiohttp import web

from tests.e2e.harness.sending import Event

Events = list[Event]
Answering = Callable[[web.Request, Events], Awaitable[web.Response]]


async def take(_request: web.Request, _events: Events) -> web.Response:
    """The answer of a receiver that works."""
    return web.Response(status=200)


def refuse(status: int, **headers: str) -> Answering:
    """The same answer to everything; `Retry_After` is written Retry-After."""

    async def answer(_request: web.Request, _events: Events) -> web.Response:
        return web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return answer


async def hang(_request: web.Request, _events: Events) -> web.Response:
    """No answer for longer than any sender waits."""
    await asyncio.sleep(3600)
    return web.Response(status=500)


async def reset(request: web.Request, _events: Events) -> web.Response:
    """The connection is cut off (RST) instead of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response(status=500)


def reject(is_poison: Callable[[Event], bool]) -> Answering:
    """400 for a request that holds a poisonous event."""

    async def answer(_request: web.Request, events: Events) -> web.Response:
        return web.Response(status=400 if any(map(is_poison, events)) else 200)

    return answer


class Receiver:
    """What came: `taken` are the events of answers with 200, by messageId; `requests` counts all requests."""

    def __init__(self) -> None:
        self.url = ""
        self.answer: Answering = take
        self.taken: Counter[str] = Counter()
        self.events: dict[str, Event] = {}
        self.requests = 0

    async def respond(self, request: web.BaseRequest) -> web.Response:
        assert isinstance(request, web.Request)
        body = orjson.loads(await request.read() or b"[]")
        events: Events = body if isinstance(body, list) else [body]
        self.requests += 1
        answer = await self.answer(request, events)
        if answer.status == 200:
            for event in events:
                self.taken[event["messageId"]] += 1
                self.events[event["messageId"]] = event
        return answer


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens; `url` is where."""
    receiver = Receiver()
    application = web.Application(client_max_size=64 * 2**20)
    application.router.add_route("*", "/{path:.*}", receiver.respond)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()


MakeReceiver = Callable[[], Awaitable[Receiver]]
"""Makes a receiver that listens."""
