"""What the queue keeps besides the events: plain rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

LetterState = Literal["retry", "dead"]


class Appended(NamedTuple):
    """What became of one request's events. The two add up to the events submitted."""

    stored: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class RetryState:
    """Where a destination stands in its retries; kept on disk, so that it survives a restart and can be seen."""

    attempts: int
    next_attempt_at_ms: int
    failing_since_ms: int
    last_error: str
    paused: bool = False
    """Waiting for the owner (credentials refused), not for time."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """One reader of the log. `delivered + dead + filtered + retrying == next_offset - start_offset` always holds."""

    destination: str
    start_offset: int
    next_offset: int
    """Everything before it has an outcome."""
    delivered: int
    dead: int
    """Dead letters ever made, dropped ones included, retried ones not."""
    filtered: int
    retrying: int
    """Events set aside that are being tried again on their own."""
    retry: RetryState | None
    end_offset: int | None = None
    """Where a replay stops; None for a destination's own cursor, which never does."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An event taken out of the stream of one destination, with a copy of it: dead, or tried again on its own."""

    destination: str
    offset: int
    message_id: str
    source: str
    received_at_ms: int
    event: bytes
    """The event's JSON, as in the queue."""
    envelope: bytes
    """MessagePack of the Envelope."""
    state: LetterState
    reason: str
    """From a closed list: rejected, too_old, horizon, too_large, unmappable, transform_failed, quarantined; retrying
    while it is tried again."""
    error: str
    attempts: int
    failing_since_ms: int
    next_attempt_at_ms: int
    id: int = 0
    """Zero until stored."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Outcomes of a span of the log, recorded in one transaction: the events from the cursor to `next_offset`."""

    next_offset: int
    delivered: int = 0
    filtered: int = 0
    letters: Sequence[Letter] = ()
    """Those of the span that were not delivered; `state` says whether each counts as dead or as retrying."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused event, kept for a day so that "why is my event missing" has an answer."""

    at_ms: int
    source: str
    """Empty where the write key is unknown."""
    reason: str
    detail: str
    ip: str
    body: bytes
    """The start of what was sent, at most 2 KiB; of an event that the tracking plan kept out, which one it was."""

    @property
    def quoted(self) -> bytes:
        """All of it that came from the client."""
        return b"\n".join((self.body, self.detail.encode(errors="replace")))


@dataclass(frozen=True, slots=True)
class Located:
    """Where a message id lies in the log."""

    offset: int
    source: str
    received_at_ms: int
    event: bytes


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The queue at one moment, for health, metrics and the console."""

    head_offset: int
    first_offset: int
    bytes_used: int
    bytes_budget: int
    disk_free_bytes: int
    oldest_received_at_ms: int | None
    hours_to_full: float | None
    """None while the queue does not grow."""
    refusing: str
    """Why new events are refused; empty while they are taken."""
