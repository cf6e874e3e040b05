"""Reads batches at any offset: from the cache near the head, from the database behind it."""

import asyncio
import sqlite3
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from gateway.model.clock import Clock
from gateway.model.envelope import Batch, Packed
from gateway.queue.aside import damaged_directory
from gateway.queue.chunks import CHUNKS, Body, Span, bodies
from gateway.queue.codec import DamagedChunkError
from gateway.queue.log import LOG
from gateway.queue.store import Store
from gateway.queue.writer import Writer

P = TypeVar("P")

_INLINE_BYTES = 64 * 2**10
"""Less than this is decoded sooner than a thread could be asked to."""


class Reading:
    """What readers see of the log."""

    def __init__(self, store: Store, writer: Writer, clock: Clock) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock

    async def read(self, offset: int, max_events: int, max_bytes: int) -> Sequence[Batch]:
        """Batches from `offset` on, at least one event; [] at the head.

        Waits where the next event is still being brought over from a damaged database, and where a hole reaches up to
        the head.
        """
        return await self._read(self._fetch_batches, Span(offset, offset, max_events, max_bytes))

    async def read_packed(self, offset: int, max_events: int, max_bytes: int) -> Sequence[Packed]:
        """As `read`, but what had to be fetched stays packed, and the last chunk may be over `max_bytes`."""
        return await self._read(self._fetch_packed, Span(offset, offset, max_events, max_bytes))

    async def wait_beyond(self, offset: int) -> None:
        """Return once the head is beyond `offset`."""
        while self._store.log.head_offset <= offset:
            await self._writer.advanced.wait()

    async def whole(self, offset: int) -> Batch | None:
        """The chunk that holds `offset`; None if there is none."""
        cached = self._writer.cache.get(offset)
        batches = [cached] if cached else await self._fetch_whole(Span(offset, offset + 1, 1, 1))
        return next((batch for batch in batches if batch.first_offset <= offset < batch.next_offset), None)

    async def _read(self, fetch: Callable[[Span], Awaitable[Sequence[P]]], wanted: Span) -> Sequence[P | Batch]:
        offset, log = wanted.offset, self._store.log
        while (offset := max(offset, log.first_offset)) < log.head_offset:
            advanced = self._writer.advanced
            span = wanted._replace(offset=offset, until_offset=self._until(offset))
            if found := self._cached(span) or await fetch(span):
                return found
            await advanced.wait()
            log = self._store.log
        return []

    def _until(self, offset: int) -> int:
        """Where reading has to stop for the time being."""
        log = self._store.log
        if log.importing is not None and offset < log.importing.end_offset:
            return log.importing.next_offset
        return log.head_offset

    def _cached(self, span: Span) -> list[Batch]:
        batches: list[Batch] = []
        offset, events, size = span.offset, 0, 0
        while events < span.max_events and size < span.max_bytes and (batch := self._writer.cache.get(offset)):
            batches.append(batch)
            events += batch.next_offset - offset
            size += len(batch.blob)
            offset = batch.next_offset
        return _cut(batches, span)

    async def _fetch_batches(self, span: Span) -> Sequence[Batch]:
        return _cut(await self._fetch_whole(span), span)

    async def _fetch_whole(self, span: Span) -> Sequence[Batch]:
        """Whole chunks from the database; they are cached, for the next reader is likely to want them too."""
        cache = self._writer.cache
        edits = cache.edits
        batches = await self._fetch(Body.unpack, span)
        for batch in batches if cache.edits == edits else ():
            cache.add(batch)
        return batches

    async def _fetch_packed(self, span: Span) -> Sequence[Packed]:
        chunks = await self._fetch(Body.pack, span)
        if not chunks:
            return []
        first = chunks[0].slice(max(span.offset - chunks[0].first_offset, 0), len(chunks[0]))
        packed = [first, *chunks[1:]]
        over = sum(map(len, packed)) - span.max_events
        return [*packed[:-1], packed[-1].slice(0, len(packed[-1]) - over)] if over > 0 else packed

    async def _fetch(self, read: Callable[[Body], P], span: Span) -> list[P]:
        """Chunks from the database, each as `read` makes it."""
        stored = await self._store.ask(bodies, span)
        if sum(body.raw_bytes for body in stored) <= _INLINE_BYTES:
            chunks, damaged = _read_whole(read, stored)
        else:
            chunks, damaged = await asyncio.to_thread(_read_whole, read, stored)
        for body in damaged:
            await self._set_aside(body)
        return chunks

    async def _set_aside(self, body: Body) -> None:
        """A single chunk is damaged in a database that works: keep its bytes, and leave a hole in the log."""
        aside = damaged_directory(self._store.directory, self._clock.now_ms())
        await asyncio.to_thread((aside / f"chunk-{body.first_offset}.zst").write_bytes, body.body)
        await self._writer.write(lambda connection: _make_hole(connection, body))
        self._writer.metrics.queue_salvages.inc()
        structlog.get_logger().error(
            "queue.chunk_damaged", offset=body.first_offset, events=body.events, moved_to=str(aside)
        )


def _read_whole(read: Callable[[Body], P], stored: Sequence[Body]) -> tuple[list[P], list[Body]]:
    """The chunks, and those that are damaged."""
    chunks: list[P] = []
    damaged: list[Body] = []
    for body in stored:
        try:
            chunks.append(read(body))
        except DamagedChunkError:
            damaged.append(body)
    return chunks, damaged


def _make_hole(connection: sqlite3.Connection, body: Body) -> None:
    connection.execute(CHUNKS["delete"], (body.first_offset,))
    connection.execute(LOG["raise_head_floor"], {"head_offset": body.first_offset + body.events})


def _cut(batches: Sequence[Batch], span: Span) -> list[Batch]:
    """The batches without what is before the span or over its limits; the first event always stays."""
    cut: list[Batch] = []
    max_events, max_bytes = span.max_events, span.max_bytes
    for batch in batches:
        start = max(span.offset - batch.first_offset, 0)
        stop = min(start + max_events, len(batch))
        if batch.bounds[stop] - batch.bounds[start] > max_bytes:
            stop = bisect_right(batch.bounds, batch.bounds[start] + max_bytes, start, stop) - 1
        if not cut:
            stop = max(stop, start + 1)
        if stop <= start:
            break
        cut.append(batch if stop - start == len(batch) else batch.slice(start, stop))
        max_events -= stop - start
        max_bytes -= batch.bounds[stop] - batch.bounds[start]
    return cut
