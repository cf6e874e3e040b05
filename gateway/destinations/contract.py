"""What a destination file provides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from gateway.config import DestinationSettings
from gateway.destinations.classify import classify_by_status
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Outcome

S = TypeVar("S", bound=DestinationSettings)


class Payload(NamedTuple):
    """One event in the destination's own words, encoded."""

    message_id: str
    """The dedup key that the destination is given."""
    body: bytes
    """JSON."""
    key: str = ""
    """What `batch_key` said of the event; the same for every payload of a request."""


@dataclass(frozen=True, slots=True)
class Sending:
    """The facts of one attempt, so that `request` needs no clock."""

    now_ms: int


@dataclass(frozen=True, slots=True)
class Destination(Generic[S]):
    """A kind of destination. `settings.type` is its name in the configuration."""

    settings: type[S]
    map: Callable[[Event, S], Mapping[str, Any] | None]
    """The canonical event in the destination's words; None where the tool has no counterpart (counted as filtered).

    All destinations are shown the same event, so it must not be changed. An exception makes a dead letter of this
    event alone, with the exception's text in it.
    """
    request: Callable[[Sequence[Payload], S, Sending], Request]
    """One request for all the payloads. The scheme of its URL says how it travels: http, https or stdout."""
    classify: Callable[[Response, Sequence[Payload]], Outcome] = field(
        default=lambda response, _: classify_by_status(response)
    )
    batch_key: Callable[[Event, S], str] = field(default=lambda _event, _settings: "")
    """Only events with equal keys share a request (an endpoint, a client id); `request` sees it as `payload.key`."""
    max_batch_events: int | Callable[[S], int] = 1
    """The vendor's own limit, or a function of the settings where it hangs on them; the settings can only lower it."""
    max_batch_bytes: int = 10_000_000
    """The vendor's limit for the bodies of one request, separators included; the settings can only lower it."""
    max_age_s: float = 0
    """Events older than this are refused by the vendor; zero means no limit."""
    probe: Callable[[S], Request] | None = None
    """A request that changes nothing, by which `headwater check` tries address and credentials."""

    def batch_events(self, settings: S) -> int:
        """How many events may share a request."""
        vendor = self.max_batch_events
        return min(settings.batch.max_events, vendor(settings) if callable(vendor) else vendor)

    def batch_bytes(self, settings: S) -> int:
        """How many bytes of payload may share a request."""
        return min(settings.batch.max_bytes, self.max_batch_bytes)

    def age_limit_s(self, settings: S) -> float:
        """The age above which an event is not sent; zero means no limit."""
        return min(filter(None, (settings.max_age, self.max_age_s)), default=0)
