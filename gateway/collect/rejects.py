"""Nothing is refused in silence: each refusal is counted, kept in the queue's ring for a day, and logged at times."""

import structlog

from gateway.collect.privacy import mentions_suppressed
from gateway.collect.refusals import Refusal
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.queue.records import Rejected

BODY_BYTES = 2048
LOG_INTERVAL_S = 1.0


class Rejects:
    """Where refused events go."""

    def __init__(self, queue: Queue, clock: Clock, metrics: Metrics) -> None:
        self._queue = queue
        self._clock = clock
        self._counter = metrics.rejected
        self._log = structlog.get_logger()
        self._logged_at_s = -LOG_INTERVAL_S
        self._not_logged = 0

    def note(self, source: str, refusal: Refusal, address: str, body: bytes) -> None:
        """Record one refused event, or a request refused whole. `source` is empty where the key is unknown."""
        self._counter.labels(source, refusal.code).inc()
        at_ms = self._clock.now_ms()
        start = body[:BODY_BYTES]
        if mentions_suppressed(start, self._queue.suppression):
            start = b""
        self._queue.note_rejected(Rejected(at_ms, source, refusal.code, refusal.message, address, start))
        self._log_some(source, refusal)

    def _log_some(self, source: str, refusal: Refusal) -> None:
        """A line a second says that something is wrong; the rest is in the ring."""
        now_s = self._clock.monotonic_s()
        if now_s - self._logged_at_s < LOG_INTERVAL_S:
            self._not_logged += 1
            return
        self._log.warning("event.rejected", source=source, reason=refusal.code, not_logged=self._not_logged)
        self._logged_at_s, self._not_logged = now_s, 0
