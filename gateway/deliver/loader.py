"""Loads spans of the log into a warehouse and records what became of them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import structlog

from gateway.config import DestinationSettings
from gateway.deliver.disk import when_available
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.patience import Patience
from gateway.deliver.prepare import FORGOTTEN, UNREADABLE
from gateway.deliver.routing import BY_SOURCE, route
from gateway.deliver.services import CursorName, Services
from gateway.deliver.spans import Span, selected, without_tombstones
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseRowError
from gateway.queue.records import Cursor, Progress


class Taken(NamedTuple):
    """What is loaded of a span."""

    batches: Sequence[Packed]
    forgotten: int
    """Tombstones that were left out."""

    @property
    def events(self) -> int:
        """How many are loaded."""
        return sum(map(len, self.batches))


class Loader:
    """One cursor's loads. `log_id` names the cursor within the warehouse."""

    def __init__(
        self,
        cursor: Cursor,
        log_id: str,
        settings: DestinationSettings,
        handle: WarehouseHandle,
        patience: Patience,
        services: Services,
    ) -> None:
        self.cursor = cursor
        """As it is on disk."""
        self.log_id = log_id
        self.takes = route(cursor.destination, "", settings, "", heeds_all=False).takes
        self._takes_all = not settings.sources
        self._handle = handle
        self._patience = patience
        self._services = services
        self._label = CursorName(cursor.destination).label
        self._staged: tuple[Span, Taken] | None = None

    async def stage(self, span: Span) -> None:
        """Let the warehouse begin with a span that is to be loaded next; what fails now, the load will meet again."""
        taken = self._taken(span)
        self._staged = span, taken
        with suppress(Exception):
            await self._handle.now().stage(taken.batches)

    async def load(self, span: Span) -> None:
        """Store the span. Rows that the warehouse can never take are found by halving and become dead letters."""
        taken = self._staged[1] if self._staged and self._staged[0] is span else self._taken(span)
        try:
            await self._patience.until_done(lambda: self.store(taken.batches, span.next_offset))
        except WarehouseRowError as error:
            await self._split(span, taken, error)
            return
        filtered = self._passed(span) - taken.events
        await self._record(span, Progress(span.next_offset, taken.events, filtered), taken.forgotten)

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
        letters = [
            dead_letter(stored, self.cursor.destination, "rejected", trouble)
            for batch in span.batches
            for stored in batch.unpack()
            if self.takes(stored.envelope.source)
        ]
        filtered = self._passed(span) - len(letters)
        await self._record(span, Progress(span.next_offset, filtered=filtered, letters=letters), taken.forgotten)
        await self._patience.until_done(lambda: self.store([], span.next_offset))

    def _taken(self, span: Span) -> Taken:
        batches, forgotten = span.batches, 0
        if span.first_offset < self._services.queue.tombstones_until:
            found = [without_tombstones(packed) for packed in batches]
            batches, forgotten = [kept for kept, _ in found if len(kept)], sum(gone for _, gone in found)
        if not self._takes_all:
            chosen = [selected(packed.unpack(), self.takes) for packed in batches]
            batches = [batch for batch in chosen if len(batch)]
        return Taken(batches, forgotten)

    def _passed(self, span: Span) -> int:
        """Events that the cursor passes: the span's, and those of a hole before it that a salvage left."""
        return span.next_offset - self.cursor.next_offset

    async def _record(self, span: Span, progress: Progress, forgotten: int) -> None:
        """Until the disk takes it; a stop meanwhile is put right by the next start, from the warehouse's cursor."""
        unreadable = span.first_offset - self.cursor.next_offset
        if unreadable:
            structlog.get_logger().error("destination.hole", destination=self.cursor.destination, events=unreadable)
        name, queue = self.cursor.destination, self._services.queue
        self.cursor = await when_available(lambda: asyncio.shield(queue.record(name, progress)), name)
        self._count(progress, {UNREADABLE.rule: unreadable, FORGOTTEN.rule: forgotten})

    def _count(self, progress: Progress, passed_over: dict[str, int]) -> None:
        metrics, label = self._services.metrics, self._label
        metrics.delivered.labels(label).inc(progress.delivered)
        by_source = progress.filtered - sum(passed_over.values())
        for rule, events in {**passed_over, BY_SOURCE.rule: by_source}.items():
            if events:
                metrics.filtered.labels(label, rule).inc(events)
        for letter in progress.letters:
            metrics.dead.labels(label, letter.reason).inc()
