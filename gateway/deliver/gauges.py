"""The gauges of each worker, from its status."""

from collections.abc import Iterable
from itertools import groupby

from gateway.deliver.cursor_name import CursorName
from gateway.deliver.status import DestinationStatus
from gateway.observe.metrics import Metrics


def show(metrics: Metrics, statuses: Iterable[DestinationStatus]) -> None:
    """How far each destination is behind. Replays of one destination share a label: the one furthest behind shows."""

    def label_of(status: DestinationStatus) -> str:
        return CursorName(status.name).label

    for label, group in groupby(sorted(statuses, key=label_of), key=label_of):
        behind = list(group)
        metrics.lag_events.labels(label).set(max(status.lag_events for status in behind))
        metrics.lag_seconds.labels(label).set(max(status.lag_seconds for status in behind))
        metrics.transforms_unavailable.labels(label).set(any(status.state == "blocked" for status in behind))


def forget(metrics: Metrics, label: str) -> None:
    """A worker that no longer runs shows no state."""
    for gauge in (
        metrics.lag_events,
        metrics.lag_seconds,
        metrics.breaker_state,
        metrics.paused,
        metrics.transforms_unavailable,
    ):
        gauge.remove(label)
