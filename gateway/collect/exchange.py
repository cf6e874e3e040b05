"""One request and its one answer, without the bytes on the wire."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from aiohttp.http import RawRequestMessage
from prometheus_client import Counter

from gateway.collect.answers import Answer
from gateway.collect.refusals import Refusal

if TYPE_CHECKING:
    from gateway.collect.connection import Connection
    from gateway.collect.digest import Digest
    from gateway.collect.sources import Source

MAX_QUERY_FIELDS = 200


Admit = Callable[["Exchange", "Source", str, "Digest"], "Digest"]
"""From the request, its source, the client's address and its events to those events as they are to be stored."""


class CountedRoute(Protocol):
    """What an exchange needs to know of where it went."""

    name: str

    def counter(self, status: int) -> Counter:
        """Counts answers of this status."""
        ...


class Exchange:
    """A request that has arrived whole, until it is answered. Exactly one answer is sent, the first one."""

    __slots__ = (
        "body",
        "connection",
        "cors",
        "fault",
        "is_last",
        "message",
        "on_admit",
        "on_answer",
        "path",
        "query",
        "route",
    )

    def __init__(self, connection: "Connection", message: RawRequestMessage, body: bytes, route: CountedRoute) -> None:
        self.connection = connection
        self.message = message
        self.body = body
        self.route = route
        self.path = message.path
        self.query = ""
        self.cors = b""
        """CORS header lines of the answer, complete."""
        self.fault: Answer | Refusal | None = None
        """What keeps the request from its handler, where the connection knows of something."""
        self.is_last = message.should_close or message.upgrade or message.version.minor == 0
        """Whether the connection closes behind the answer. An HTTP/1.0 client is not asked to keep it."""
        self.on_admit: Admit | None = None
        """Has a say in the events that a source takes, before they are stored (the browser script's identity)."""
        self.on_answer: Callable[[Answer], Answer] | None = None
        """Replaces the answer, for clients that can use only one (a pixel)."""

    def header(self, name: str) -> str | None:
        """A request header; None where there is none."""
        value: str | None = self.message.headers.get(name)
        return value

    def parameters(self) -> dict[str, str]:
        """The query's fields; of a repeated one, the last. None at all when there are too many."""
        try:
            return dict(parse_qsl(self.query, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))
        except ValueError:
            return {}

    @property
    def peer(self) -> str:
        """The other end's address; empty for a Unix socket."""
        return self.connection.peer

    def reply(self, answer: Answer) -> None:
        """Send the answer, unless one was sent or the client has gone."""
        self.connection.finish(self, self.on_answer(answer) if self.on_answer is not None else answer)
