"""What a destination file provides."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from gateway.config import DestinationSettings
from gateway.destinations.classify import classify_by_status
from gateway.destinations.http_messages import Publication, Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Retry

S = TypeVar("S", bound=DestinationSettings)


class Message(NamedTuple):
    """One thing to tell the tool: `map` makes one of an event, or several, or none."""

    body: Any
    """What becomes JSON; a member of `request`'s body."""
    key: str = ""
    """Only messages with equal keys share a request: an endpoint, a client id."""
    repairs: Sequence[str] = ()
    """What had to be changed so that the tool takes it, by reason (a closed list of each destination): counted."""


class Payload(NamedTuple):
    """A message, encoded."""

    message_id: str
    """Of the event: the dedup key, where the tool has one."""
    body: bytes
    """JSON."""
    key: str = ""
    repairs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Sending:
    """The facts of one attempt, so that `request` needs no clock."""

    now_ms: int
    token: str = ""
    """What `Destination.grant` brought."""


class Token(NamedTuple):
    """A credential that runs out."""

    value: str
    expires_in_s: float


@dataclass(frozen=True, slots=True)
class Grant(Generic[S]):
    """How a destination's settings are exchanged for a token (OAuth 2, RFC 6749), which then is in `Sending.token`.

    A request that is refused for its credentials is sent once more with a new token.
    """

    request: Callable[[S], Request | None]
    """None where the settings hold the token itself, and there is nothing to be fetched."""
    read: Callable[[Response], Token | Retry | Halt]


Conversation = Generator[Request | Publication, Response, Outcome]
"""Yields requests, is sent the answer to each, returns the outcome. Pure: what happens between is deliver's."""


@dataclass(frozen=True, slots=True)
class Destination(Generic[S]):
    """A kind of destination. `settings.type` is its name in the configuration."""

    settings: type[S]
    title: str
    """The vendor's name for it, as in the `integrations` object of events."""
    map: Callable[[Event, S], Sequence[Message]]
    """The event in the destination's words; empty where the tool has no counterpart (counted as filtered).

    All destinations are shown the same event, so it must not be changed. A ValueError with words for the owner says
    that the tool can never take the event; it, and any other exception, makes a dead letter of this event alone.
    """
    request: Callable[[Sequence[Payload], S, Sending], Request | Publication]
    """One request for all the payloads, whose keys are equal."""
    classify: Callable[[Response, Sequence[Payload]], Outcome] = field(
        default=lambda response, _: classify_by_status(response)
    )
    converse: Callable[[Sequence[Payload], S, Sending], Conversation] | None = None
    """In place of `request` and `classify`, where an answer decides about a next request (create, else update)."""
    category: Literal["", "analytics", "marketing"] = ""
    """What visitors must not have refused for their events to go there, unless the settings say otherwise."""
    max_batch_events: int | Callable[[S, str], int] = 1
    """The vendor's own limit of messages, or a function of the settings and the key; the settings can only lower it."""
    max_batch_bytes: int = 10_000_000
    """The vendor's limit for the bodies of one request, separators included; the settings can only lower it."""
    max_age_s: float = 0
    """Events older than this are refused by the vendor; zero means no limit."""
    probe: Callable[[S], Request] | None = None
    """A request that changes nothing, by which `headwater check` tries address and credentials."""
    unasked: str = "this kind has no request that changes nothing"
    """Of a kind without `probe`: why `headwater check` cannot try it, in words for the owner."""
    grant: Grant[S] | None = None

    @property
    def type(self) -> str:
        """Its name in the configuration."""
        return str(self.settings.model_fields["type"].default)

    def batch_events(self, settings: S, key: str = "") -> int:
        """How many messages with this key may share a request."""
        vendor = self.max_batch_events
        return max(1, min(settings.batch.max_events, vendor(settings, key) if callable(vendor) else vendor))

    def batch_bytes(self, settings: S) -> int:
        """How many bytes of payload may share a request."""
        return min(settings.batch.max_bytes, self.max_batch_bytes)

    def age_limit_s(self, settings: S) -> float:
        """The age above which an event is not sent; zero means no limit."""
        return min(filter(None, (settings.max_age, self.max_age_s)), default=0)

    def conversation(self, payloads: Sequence[Payload], settings: S, sending: Sending) -> Conversation:
        """What is said, and what its answers mean."""
        if self.converse is not None:
            return (yield from self.converse(payloads, settings, sending))
        request = self.request(payloads, settings, sending)
        if not isinstance(request, Request | Publication):
            raise TypeError(f"{where(self.request)} returned {type(request).__name__}: return a Request")
        return self.classify((yield request), payloads)


def where(function: Callable[..., Any]) -> str:
    """A function of a destination's file, as its owner finds it: `request (crm.py:31)`."""
    code = getattr(function, "__code__", None)
    name = getattr(function, "__name__", str(function))
    return f"{name} ({Path(code.co_filename).name}:{code.co_firstlineno})" if code else name
