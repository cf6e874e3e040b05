"""One destination's health, as a value: closed (it works), open (it rests until a time), half open (one probe is out).

Only trouble of the destination as a whole opens it. While it is open nothing is read and nothing is sent; when the time
has come a single request probes, and its answer closes the breaker or opens it for longer. What is known of an open
breaker is kept in the queue (`RetryState`), so that a restart neither forgets it nor hammers the destination.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from gateway.model.clock import Clock
from gateway.queue.records import RetryState

FAILURES_TO_OPEN = 5
"""Failed requests in a row, with no success between, that mean the destination and not the request."""

LONGEST_REST_S = 86_400.0
"""Bound on a restored rest: a wall clock that was wrong when it was saved must not silence a destination."""


class Moment(NamedTuple):
    """Both clocks at once: `s` is monotonic and measures waits, `ms` is the epoch and is what is kept on disk."""

    s: float
    ms: int


def moment(clock: Clock) -> Moment:
    """Now."""
    return Moment(clock.monotonic_s(), clock.now_ms())


@dataclass(frozen=True, slots=True)
class Breaker:
    """Each method returns the breaker that follows; times are handed in."""

    state: Literal["closed", "open", "half_open"] = "closed"
    failures: int = 0
    """In a row, while closed."""
    attempts: int = 0
    """How often it opened since it last was closed."""
    retry_at_s: float = 0.0
    """Monotonic; when an open breaker lets a probe through."""
    retry_at_ms: int = 0
    """The same on the wall clock, for the record."""
    failing_since_ms: int = 0
    """Zero while nothing fails."""
    last_error: str = ""
    paused: bool = False
    """Open because the owner must act, not because of time."""
    last_success_ms: int = 0
    well_since_ms: int = 0
    """When it last closed after having been open."""

    def wait_s(self, now_s: float) -> float:
        """Seconds until a request may start: zero for now, infinity while a probe is out."""
        if self.state == "closed":
            return 0.0
        return math.inf if self.state == "half_open" else max(0.0, self.retry_at_s - now_s)

    def sending(self) -> "Breaker":
        """A request starts; from an open breaker it is the probe."""
        return replace(self, state="half_open") if self.state == "open" else self

    def succeeded(self, now: Moment) -> "Breaker":
        """The destination answered as one that works. Late answers to requests from before it opened change nothing."""
        if self.state == "open":
            return self
        well_since_ms = now.ms if self.state == "half_open" else self.well_since_ms
        return Breaker(last_success_ms=now.ms, well_since_ms=well_since_ms)

    def failed(self, now: Moment, error: str) -> "Breaker":
        """A request failed for a reason that may pass, and the destination did not ask for a rest."""
        if self.state != "closed":
            return self
        since_ms = self.failing_since_ms or now.ms
        return replace(self, failures=self.failures + 1, failing_since_ms=since_ms, last_error=error)

    @property
    def must_open(self) -> bool:
        """The last failure is one too many: call `opened`."""
        return self.state == "half_open" or self.failures >= FAILURES_TO_OPEN

    def opened(self, now: Moment, delay_s: float, error: str, *, paused: bool) -> "Breaker":
        """Rest for `delay_s`. An open breaker stays as it is: the answer is to a request from before."""
        if self.state == "open":
            return self
        return replace(
            self,
            state="open",
            failures=0,
            attempts=self.attempts + 1,
            retry_at_s=now.s + delay_s,
            retry_at_ms=now.ms + round(delay_s * 1000),
            failing_since_ms=self.failing_since_ms or now.ms,
            last_error=error,
            paused=paused,
        )

    def resumed(self, now: Moment) -> "Breaker":
        """The owner says: try now."""
        return replace(self, retry_at_s=now.s, retry_at_ms=now.ms) if self.state == "open" else self

    def to_record(self) -> RetryState | None:
        """What is kept on disk; None while closed."""
        if self.state == "closed":
            return None
        return RetryState(self.attempts, self.retry_at_ms, self.failing_since_ms, self.last_error, self.paused)


def restored(record: RetryState | None, now: Moment) -> Breaker:
    """The breaker that was kept on disk; a time that has passed meanwhile means a probe at once."""
    if record is None:
        return Breaker()
    rest_s = min(max(0.0, (record.next_attempt_at_ms - now.ms) / 1000), LONGEST_REST_S)
    return Breaker(
        state="open",
        attempts=record.attempts,
        retry_at_s=now.s + rest_s,
        retry_at_ms=now.ms + round(rest_s * 1000),
        failing_since_ms=record.failing_since_ms,
        last_error=record.last_error,
        paused=record.paused,
    )
