"""Puts outcomes and retry state on disk, for one cursor, and counts what is there."""

from collections import Counter
from dataclasses import replace

import structlog

from gateway.deliver.cursor_name import CursorName
from gateway.deliver.progress import Filtered, Outcomes, Settled, progress
from gateway.deliver.services import Services
from gateway.model.errors import QueueUnavailableError
from gateway.queue.records import Cursor, Letter, RetryState

_DELIVERED = ("delivered", "")


class Recorder:
    """The outcomes of one cursor, from the worker to the queue."""

    def __init__(self, cursor: Cursor, services: Services) -> None:
        self.cursor = cursor
        """As it is on disk."""
        self._services = services
        self._outcomes = Outcomes(cursor.next_offset)

    def settle(self, offset: int, outcome: Settled, parts: int = 1) -> None:
        """An event, or one of its parts, has its outcome; `save` writes it once every earlier event has one."""
        self._outcomes.settle(offset, outcome, parts)

    async def save(self, retry: RetryState | None) -> bool:
        """Write what is ready. False when the disk refused: everything is kept for the next call."""
        try:
            while settled := self._outcomes.prefix():
                await self._record(settled)
            if retry != self.cursor.retry:
                await self._services.queue.set_retry(self.cursor.destination, retry)
                self.cursor = replace(self.cursor, retry=retry)
        except QueueUnavailableError as error:
            structlog.get_logger().warning(
                "destination.not_recorded", destination=self.cursor.destination, error=str(error)
            )
            return False
        return True

    async def _record(self, settled: list[Settled]) -> None:
        next_offset = self._outcomes.next_offset + len(settled)
        retry = self.cursor.retry
        cursor = await self._services.queue.record(self.cursor.destination, progress(next_offset, settled))
        self.cursor = replace(cursor, retry=retry)
        self._outcomes.recorded(len(settled))
        self._count(settled)

    def _count(self, settled: list[Settled]) -> None:
        metrics, name = self._services.metrics, CursorName(self.cursor.destination)
        for (kind, reason), events in Counter(map(_kind_of, settled)).items():
            if kind == "delivered":
                metrics.delivered.labels(name.label).inc(events)
            elif kind == "filtered":
                metrics.filtered.labels(name.label, reason).inc(events)
            elif kind == "dead":
                self._services.burials.note(name, reason, events)


def _kind_of(outcome: Settled) -> tuple[str, str]:
    if isinstance(outcome, Letter):
        return outcome.state, outcome.reason
    return ("filtered", outcome.rule) if isinstance(outcome, Filtered) else _DELIVERED
