"""What all simulated vendors share: a real HTTP server that enforces a vendor's documented limits and remembers.

A vendor's own file holds what its documentation says: which requests it takes, what it refuses and in which words, and
what it knows an event again by.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from gateway.config import DestinationSettings, RetrySettings
from gateway.destinations import Destination, Request, Response

POISON = "poison-0f8e"
"""An event that says this anywhere is one that the vendor can never take."""

FAST = RetrySettings(first_delay=0.02, max_delay=0.1)


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    """Below the base URL, with a leading slash."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """By lower-case names."""
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON in it; None where there is none."""
        return json.loads(self.raw) if self.raw else None

    @property
    def is_poisoned(self) -> bool:
        return POISON.encode() in self.raw


@dataclass(frozen=True)
class Reply:
    """What the vendor answers, and by which keys it will know the events again that it took."""

    status: int = 200
    body: Any = None
    taken: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The body as it is sent."""
        if isinstance(self.body, str):
            return self.body
        return "" if self.body is None else json.dumps(self.body)


Trouble = Callable[[Received], Awaitable[Reply | None]]
"""Answers in the vendor's place; None: the connection is reset."""


class Simulator(ABC):
    """A vendor. `answer` is pure; everything that is not to do with the vendor is here."""

    kind: ClassVar[Destination[Any]]
    required: ClassVar[Mapping[str, Any]]
    """Settings without which the destination has no sense, for a test. Secrets hold the word "s3cret"."""
    names_culprits: ClassVar[bool] = False
    """Whether it answers for each item of a request; otherwise one bad item sinks the request."""
    token: ClassVar[str] = ""
    """What its token server gives, where it has one."""
    refuses: ClassVar[bool] = True
    """Whether it ever says no to an event. Some take everything and drop in silence what they do not like."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.taken: list[str] = []
        """Keys of events taken, in order, repeated where an event came twice."""
        self.trouble: Trouble | None = None

    @abstractmethod
    def answer(self, received: Received) -> Reply:
        """What the vendor's documentation says that it answers."""

    def answer_to(self, request: Request) -> Response:
        """The same to a request of ours, without a server in between; `settings` have their default address."""
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = dict(parse_qsl(parts.query))
        reply = self.answer(Received(request.method, parts.path or "/", query, headers, request.body))
        self.taken += reply.taken
        return Response(reply.status, reply.headers, reply.text.encode())

    @abstractmethod
    def keys(self, received: Received) -> list[str]:
        """By what the vendor knows each event of a request again; where it knows none, what tells them apart."""

    @classmethod
    def settings(cls, base_url: str = "https://vendor.example", **more: Any) -> DestinationSettings:
        """For a test, with the vendor's address at `base_url`."""
        given = {"retry": FAST, **cls.addressed(base_url), **cls.required, **more}
        return cls.kind.settings.model_validate(given)

    @classmethod
    def addressed(cls, base_url: str) -> dict[str, Any]:
        """The settings that lead to the vendor."""
        return {"base_url": base_url}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Below `/{type}` of a server."""
        received = Received(
            request.method,
            request.path.removeprefix(f"/{self.kind.type}") or "/",
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        self.received.append(received)
        reply = self.answer(received) if self.trouble is None else await self.trouble(received)
        if reply is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.taken += reply.taken
        return web.Response(
            status=reply.status, text=reply.text, content_type="application/json", headers=dict(reply.headers)
        )


def application(simulators: Sequence[Simulator]) -> web.Application:
    """All of them on one server, each below a path that is its type."""
    app = web.Application(client_max_size=2**28)
    for simulator in simulators:
        app.router.add_route("*", f"/{simulator.kind.type}", simulator.handle)
        app.router.add_route("*", f"/{simulator.kind.type}/{{rest:.*}}", simulator.handle)
    return app


def saying(status: int, body: Any = None, **headers: str) -> Trouble:
    """The same answer to everything; `Retry_After` stands for Retry-After."""

    async def trouble(_received: Received) -> Reply:
        return Reply(status, body, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return trouble


async def hanging(_received: Received) -> Reply:
    """No answer in the time of a test."""
    await asyncio.sleep(3600)
    return Reply()


async def resetting(_received: Received) -> None:
    """The connection goes."""
