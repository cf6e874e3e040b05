"""Nothing is refused in silence: each refusal is counted, kept in the queue's ring for a day, and logged at times."""

from typing import Any

import structlog

from gateway.collect.inspection import Inspected
from gateway.collect.privacy import mentions_suppressed
from gateway.collect.refusals import Refusal
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.queue.records import Rejected

BODY_BYTES = 2048
LOG_INTERVAL_S = 1.0
TRACKING_PLAN = "tracking_plan"
"""Why an event was kept out that is otherwise in order."""


class Rejects:
    """Where refused events go, and what is said of those that are not as planned."""

    def __init__(self, queue: Queue, clock: Clock, metrics: Metrics) -> None:
        self._queue = queue
        self._clock = clock
        self._counter = metrics.rejected
        self._violations = metrics.plan_violations
        self._refusal_log, self._plan_log = SampledLog(clock), SampledLog(clock)

    def note(self, source: str, refusal: Refusal, address: str, body: bytes) -> None:
        """Record one refused event, or a request refused whole. `source` is empty where the key is unknown."""
        self._counter.labels(source, refusal.code).inc()
        start = body[:BODY_BYTES]
        if mentions_suppressed(start, self._queue.suppression):
            start = b""
        self._keep(source, refusal.code, refusal.message, address, start)
        self._refusal_log.warn("event.rejected", source=source, reason=refusal.code)

    def note_violations(self, source: str, found: Inspected, address: str) -> None:
        """Record what the tracking plan of a source found in a request."""
        for kind, events in found.violations.items():
            self._violations.labels(source, kind).inc(events)
        for outline, words in found.blocked:
            self._keep(source, TRACKING_PLAN, words, address, outline)
        if found.sample:
            self._plan_log.warn("event.not_as_planned", source=source, violation=found.sample)

    def _keep(self, source: str, reason: str, detail: str, address: str, start: bytes) -> None:
        self._queue.note_rejected(Rejected(self._clock.now_ms(), source, reason, detail, address, start))


class SampledLog:
    """A line a second says that something is wrong; the rest is counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._log = structlog.get_logger()
        self._logged_at_s = -LOG_INTERVAL_S
        self._not_logged = 0

    def warn(self, event: str, **fields: Any) -> None:
        """Write the line, or count that it was not written."""
        now_s = self._clock.monotonic_s()
        if now_s - self._logged_at_s < LOG_INTERVAL_S:
            self._not_logged += 1
            return
        self._log.warning(event, **fields, not_logged=self._not_logged)
        self._logged_at_s, self._not_logged = now_s, 0
