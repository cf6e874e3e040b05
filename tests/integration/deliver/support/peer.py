"""A webhook receiver that does what a test says."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Events = Sequence[Mapping[str, Any]]
Answer = Callable[[Events], Awaitable[web.Response | None]]
"""What a peer answers to the events of a request; None resets the connection."""


async def ok(_events: Events) -> web.Response:
    return web.Response()


async def hang(_events: Events) -> web.Response:
    await asyncio.sleep(3600)
    return web.Response()


async def reset(_events: Events) -> None:
    return None


def say(status: int, **headers: str) -> Answer:
    """The same answer to everything; `Retry_After` stands for Retry-After."""

    async def answer(_events: Events) -> web.Response:
        return web.Response(status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return answer


def say_at_length(status: int, size_bytes: int) -> Answer:
    """An answer with a body of that size."""

    async def answer(_events: Events) -> web.Response:
        return web.Response(status=status, body=b"x" * size_bytes)

    return answer


def choke_on(message_id: str, status: int, text: str = "") -> Answer:
    """`status` to every request that holds the event, 200 to others."""

    async def answer(events: Events) -> web.Response:
        hit = any(event["messageId"] == message_id for event in events)
        return web.Response(status=status, text=text) if hit else web.Response()

    return answer


@dataclass
class Peer:
    """`answer` decides, given the events of the request; `taken` are the ids of those it said 2xx to."""

    url: str = ""
    answer: Answer = ok
    requests: list[list[str]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        if request.method == "HEAD":
            return await self.answer([]) or web.Response()
        body = json.loads(await request.read())
        events = body if isinstance(body, list) else [body]
        ids = [event["messageId"] for event in events]
        self.requests.append(ids)
        self.headers.append(request.headers)
        response = await self.answer(events)
        if response is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if response.status < 300:
            self.taken += ids
        return response


StartPeer = Callable[[], Awaitable[Peer]]
