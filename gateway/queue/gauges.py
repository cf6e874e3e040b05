"""The queue's gauges, set from what is known in memory."""

import math
from collections.abc import Iterable

from gateway.observe.metrics import Metrics
from gateway.queue.budget import Budget
from gateway.queue.log import Log

_MS_PER_S = 1000
_SECONDS_PER_HOUR = 3600


def show_state(metrics: Metrics, log: Log, budget: Budget, now_ms: int) -> None:
    """Bounds of the log, and room."""
    metrics.head_offset.set(log.head_offset)
    metrics.queue_events.set(log.head_offset - log.first_offset)
    metrics.queue_bytes.set(budget.bytes_used)
    metrics.queue_free_bytes.set(budget.disk_free_bytes)
    metrics.queue_writable.set(budget.refusal is None)
    hours = budget.hours_to_full
    metrics.queue_seconds_to_full.set(math.inf if hours is None else hours * _SECONDS_PER_HOUR)
    oldest_at_ms = log.oldest_received_at_ms
    metrics.queue_oldest_seconds.set(0 if oldest_at_ms is None else max(0, now_ms - oldest_at_ms) / _MS_PER_S)


def show_letters(metrics: Metrics, kept: Iterable[tuple[str, int]]) -> None:
    """Dead letters on disk; destinations that were dropped have no gauge any more."""
    metrics.dead_letters.clear()
    for destination, letters in kept:
        metrics.dead_letters.labels(destination).set(letters)
