"""Loads spans of the log into a warehouse and records what became of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from gateway.deliver.cursor_name import CursorName
from gateway.deliver.disk import when_available
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.patience import Patience
from gateway.deliver.prepare import UNREADABLE
from gateway.deliver.services import Services
from gateway.deliver.spans import Span
from gateway.deliver.taking import Taken, Taking
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseRowError
from gateway.queue.records import Cursor


class Loader:
    """One cursor's loads. `log_id` names the cursor within the warehouse."""

    def __init__(
        self,
        cursor: Cursor,
        log_id: str,
        taking: Taking,
        handle: WarehouseHandle,
        patience: Patience,
        services: Services,
    ) -> None:
        self.cursor = cursor
        """As it is on disk."""
        self.log_id = log_id
        self._taking = taking
        self._handle = handle
        self._patience = patience
        self._services = services
        self._label = CursorName(cursor.destination).label
        self._staged: tuple[Span, Taken] | None = None

    async def stage(self, span: Span) -> None:
        """Let the warehouse begin with a span that is to be loaded next; what fails now, the load will meet again."""
        taken = await self._taking.taken(span)
        self._staged = span, taken
        with suppress(Exception):
            await self._handle.now().stage(taken.batches)

    async def load(self, span: Span) -> None:
        """Store the span. Rows that the warehouse can never take are found by halving and become dead letters."""
        taken = self._staged[1] if self._staged and self._staged[0] is span else await self._taking.taken(span)
        try:
            await self._patience.until_done(lambda: self.store(taken.batches, span.next_offset))
        except WarehouseRowError as error:
            await self._split(span, taken, error)
            return
        await self._record(span, taken)

    async def store(self, batches: Sequence[Packed], next_offset: int) -> None:
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
        for outcome, links in loaded.identity.items():
            metrics.identity.labels(label, outcome).inc(links)

    async def _split(self, span: Span, taken: Taken, error: WarehouseRowError) -> None:
        if taken.events > 1:
            for half in span.halves():
                await self.load(half)
            return
        trouble = Trouble(error.message, 1, self._services.clock.now_ms())
        letters = [dead_letter(stored, self.cursor.destination, "rejected", trouble) for stored in taken.stored(span)]
        await self._record(span, Taken((), 0, taken.filtered, [*taken.letters, *letters]))
        await self._patience.until_done(lambda: self.store([], span.next_offset))

    async def _record(self, span: Span, taken: Taken) -> None:
        """Until the disk takes it; a stop meanwhile is put right by the next start, from the warehouse's cursor."""
        unreadable = span.first_offset - self.cursor.next_offset
        if unreadable:
            structlog.get_logger().error("destination.hole", destination=self.cursor.destination, events=unreadable)
            taken = replace(taken, filtered={**taken.filtered, UNREADABLE.rule: unreadable})
        name, queue, progress = self.cursor.destination, self._services.queue, taken.progress(span.next_offset)
        self.cursor = await when_available(lambda: asyncio.shield(queue.record(name, progress)), name)
        self._count(taken)

    def _count(self, taken: Taken) -> None:
        metrics, label = self._services.metrics, self._label
        metrics.delivered.labels(label).inc(taken.events)
        for rule, events in taken.filtered.items():
            metrics.filtered.labels(label, rule).inc(events)
        for letter in taken.letters:
            self._services.burials.note(CursorName(self.cursor.destination), letter.reason)
