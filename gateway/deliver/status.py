"""What a worker shows of itself."""

from dataclasses import dataclass
from typing import Literal

from gateway.deliver.breaker import Breaker, Moment
from gateway.deliver.lag import Lag
from gateway.queue.records import Cursor

State = Literal["running", "retrying", "paused", "opening", "blocked"]


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """One destination, or one of its replays, at one moment."""

    name: str
    type: str
    state: State
    """`retrying` waits for time, `paused` for the owner, `opening` for its warehouse, `blocked` for transforms that can
    be loaded."""
    breaker: str
    next_offset: int
    end_offset: int | None
    """Where a replay stops."""
    lag_events: int
    lag_seconds: float
    """Age of the oldest event without an outcome."""
    in_flight: int
    """Requests or loads under way."""
    attempts: int
    last_error: str
    failing_since_ms: int | None
    next_attempt_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a worker knows of its cursor."""

    cursor: Cursor
    breaker: Breaker
    lag: Lag
    in_flight: int
    opening: bool = False
    transforms_trouble: str = ""
    """Why the owner's code cannot be loaded, if so."""


def status_of(kind: str, standing: Standing, head_offset: int, now: Moment) -> DestinationStatus:
    """The status in full, from what the worker knows."""
    cursor, breaker = standing.cursor, standing.breaker
    end_offset = head_offset if cursor.end_offset is None else cursor.end_offset
    record = breaker.to_record()
    return DestinationStatus(
        name=cursor.destination,
        type=kind,
        state=_state(standing),
        breaker=breaker.state,
        next_offset=cursor.next_offset,
        end_offset=cursor.end_offset,
        lag_events=max(0, end_offset - cursor.next_offset),
        lag_seconds=standing.lag.age_s(cursor.next_offset, end_offset, now.ms),
        in_flight=standing.in_flight,
        attempts=record.attempts if record else breaker.failures,
        last_error=standing.transforms_trouble or breaker.last_error,
        failing_since_ms=breaker.failing_since_ms or None,
        next_attempt_at_ms=record.next_attempt_at_ms if record else None,
    )


def _state(standing: Standing) -> State:
    if standing.transforms_trouble:
        return "blocked"
    if standing.breaker.state != "closed":
        return "paused" if standing.breaker.paused else "retrying"
    return "opening" if standing.opening else "running"
