"""Loads spans of the log into a warehouse and records what became of them."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from gateway.deliver.disk import when_available
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.patience import Patience
from gateway.deliver.prepare import BY_SOURCE, UNREADABLE
from gateway.deliver.services import CursorName, Services
from gateway.deliver.spans import Span, selected
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseRowError
from gateway.queue.records import Cursor, Progress


class Loader:
    """One cursor's loads. `log_id` names the cursor within the warehouse."""

    def __init__(
        self,
        cursor: Cursor,
        log_id: str,
        takes: Callable[[str], bool],
        handle: WarehouseHandle,
        patience: Patience,
        services: Services,
    ) -> None:
        self.cursor = cursor
        """As it is on disk."""
        self.log_id = log_id
        self.takes = takes
        self._handle = handle
        self._patience = patience
        self._services = services
        self._label = CursorName(cursor.destination).label

    async def load(self, span: Span) -> None:
        """Store the span. Rows that the warehouse can never take are found by halving and become dead letters."""
        batches = [batch for batch in (selected(batch, self.takes) for batch in span.batches) if len(batch)]
        events = sum(map(len, batches))
        try:
            await self._patience.until_done(lambda: self.store(batches, span.next_offset))
        except WarehouseRowError as error:
            await self._split(span, batches, error)
            return
        await self._record(span, Progress(span.next_offset, delivered=events, filtered=self._passed(span) - events))

    async def store(self, batches: Sequence[Batch], next_offset: int) -> None:
        """One transaction of the warehouse. Raises as `Warehouse.load` does."""
        metrics, label, clock = self._services.metrics, self._label, self._services.clock
        async with self._handle.loading:
            began_s = clock.monotonic_s()
            loaded = await self._handle.now().load(batches, self.log_id, next_offset)
        metrics.load_seconds.labels(label).observe(clock.monotonic_s() - began_s)
        metrics.loaded_rows.labels(label).inc(loaded.rows)
        metrics.load_duplicates.labels(label).inc(loaded.duplicates)
        for reason, values in loaded.warnings.items():
            metrics.schema_warnings.labels(label, reason).inc(values)

    async def _split(self, span: Span, batches: Sequence[Batch], error: WarehouseRowError) -> None:
        if sum(map(len, batches)) > 1:
            for half in span.halves():
                await self.load(half)
            return
        trouble = Trouble(error.message, 1, self._services.clock.now_ms())
        letters = [
            dead_letter(stored, self.cursor.destination, "rejected", trouble)
            for batch in span.batches
            for stored in batch
            if self.takes(stored.envelope.source)
        ]
        filtered = self._passed(span) - len(letters)
        await self._record(span, Progress(span.next_offset, filtered=filtered, letters=letters))
        await self._patience.until_done(lambda: self.store([], span.next_offset))

    def _passed(self, span: Span) -> int:
        """Events that the cursor passes: the span's, and those of a hole before it that a salvage left."""
        return span.next_offset - self.cursor.next_offset

    async def _record(self, span: Span, progress: Progress) -> None:
        """Until the disk takes it; a stop meanwhile is put right by the next start, from the warehouse's cursor."""
        unreadable = span.first_offset - self.cursor.next_offset
        if unreadable:
            structlog.get_logger().error("destination.hole", destination=self.cursor.destination, events=unreadable)
        name, queue = self.cursor.destination, self._services.queue
        self.cursor = await when_available(lambda: asyncio.shield(queue.record(name, progress)), name)
        self._count(progress, unreadable)

    def _count(self, progress: Progress, unreadable: int) -> None:
        metrics, label = self._services.metrics, self._label
        metrics.delivered.labels(label).inc(progress.delivered)
        for rule, events in ((BY_SOURCE.rule, progress.filtered - unreadable), (UNREADABLE.rule, unreadable)):
            if events:
                metrics.filtered.labels(label, rule).inc(events)
        for letter in progress.letters:
            metrics.dead.labels(label, letter.reason).inc()
