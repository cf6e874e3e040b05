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


@dataclass(frozen=True, slots=True)
class Sending:
    """The facts of one attempt, so that `request` needs no clock."""

    now_ms: int


@dataclass(frozen=True, slots=True)
class Destination(Generic[S]):
    """A kind of destination. `settings.type` is its name in the configuration."""

    settings: type[S]
    map: Callable[[Event, S], Mapping[str, Any] | None]
    """The canonical event in the destination's words; None where the tool has no counterpart (counted as filtered)."""
    request: Callable[[Sequence[Payload], S, Sending], Request]
    """One HTTP request for all the payloads."""
    classify: Callable[[Response, Sequence[Payload]], Outcome] = field(
        default=lambda response, _: classify_by_status(response)
    )
    max_batch_events: int = 1
    """The vendor's own limit; the settings can only lower it."""
    max_batch_bytes: int = 10_000_000
    max_age_s: float = 0
    """Events older than this are refused by the vendor; zero means no limit."""
