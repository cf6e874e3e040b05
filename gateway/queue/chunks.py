"""The log itself: rows of chunks, and where to find an offset or a time among them.

No statement here looks at more rows than it returns, whatever the backlog.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from gateway.model.envelope import Batch
from gateway.queue.codec import PackedChunk, decode, verify
from gateway.queue.digests import position_of
from gateway.queue.statements import named_queries

CHUNKS = named_queries("chunks")

MAX_CHUNK_BYTES = 2 * 2**20
"""Events in one chunk, unless a single event is larger."""
MAX_CHUNK_EVENTS = 50_000
_SCAN_BYTES = 4 * 2**20


class Chunk(NamedTuple):
    """A chunk without its body."""

    first_offset: int
    events: int
    received_at_ms: int

    @property
    def next_offset(self) -> int:
        """The offset after its last event."""
        return self.first_offset + self.events


class Body(NamedTuple):
    """A chunk as it is stored."""

    first_offset: int
    events: int
    received_at_ms: int
    raw_bytes: int
    body: bytes

    def unpack(self) -> Batch:
        """The events. Raises DamagedChunkError if the body is not whole."""
        return decode(self.first_offset, self.body)

    def pack(self) -> PackedChunk:
        """The events as they are stored. Raises DamagedChunkError if the body is not whole."""
        verify(self.first_offset, self.body)
        return PackedChunk(self.first_offset, self.received_at_ms, self.body, 0, self.events)


def last_chunk(connection: sqlite3.Connection) -> Chunk | None:
    """The newest chunk on disk."""
    row = connection.execute(CHUNKS["last"]).fetchone()
    return Chunk(*row) if row else None


def chunk_from(connection: sqlite3.Connection, offset: int) -> Chunk | None:
    """The first chunk that starts at `offset` or later."""
    row = connection.execute(CHUNKS["heads_from"], (offset,)).fetchone()
    return Chunk(*row) if row else None


def chunk_of(connection: sqlite3.Connection, offset: int) -> Chunk | None:
    """The chunk that holds `offset`; the next one where that offset is missing; None beyond the last."""
    row = connection.execute(CHUNKS["at_or_before"], (offset,)).fetchone()
    if row and Chunk(*row).next_offset > offset:
        return Chunk(*row)
    return chunk_from(connection, offset)


class Span(NamedTuple):
    """What to read: from an offset on, below `until_offset`, and no more chunks than it takes to reach a limit."""

    offset: int
    until_offset: int
    max_events: int
    max_bytes: int


def bodies(connection: sqlite3.Connection, span: Span) -> Sequence[Body]:
    """The chunk that holds the span's offset, or the next one, and those after it."""
    first = chunk_of(connection, span.offset)
    found: list[Body] = []
    if first is None:
        return found
    events, total_bytes = min(0, first.first_offset - span.offset), 0
    for row in connection.execute(CHUNKS["bodies_from"], (first.first_offset,)):
        body = Body(*row)
        if body.first_offset >= span.until_offset:
            break
        found.append(body)
        events += body.events
        total_bytes += body.raw_bytes
        if events >= span.max_events or total_bytes >= span.max_bytes:
            break
    return found


def first_received_at(connection: sqlite3.Connection, at_ms: int, first_offset: int, head_offset: int) -> int:
    """The first offset received at `at_ms` or later; the head if there is none.

    By bisection over offsets. Where the clock went back, there is more than one answer, and this is one of them.
    """
    low, high = first_offset, head_offset
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(CHUNKS["at_or_before"], (middle,)).fetchone()
        if row is None or Chunk(*row).received_at_ms < at_ms:
            low = max(middle + 1, Chunk(*row).next_offset if row else 0)
        else:
            high = Chunk(*row).first_offset
    found = connection.execute(CHUNKS["bodies_from"], (low,)).fetchone()
    if found is None:
        return head_offset
    batch = Body(*found).unpack()
    times = [envelope.received_at_ms for envelope in batch.envelopes]
    return next((at for at in range(len(batch)) if times[batch.envelope_of[at]] >= at_ms), 0) + batch.first_offset


class Scanned(NamedTuple):
    """One step of a search: what it found, and where the next one goes on; None when all is searched."""

    offsets: Sequence[int]
    before_offset: int | None


def scan_ids(connection: sqlite3.Connection, digests: Sequence[bytes], before_offset: int) -> Scanned:
    """Offsets of events with these digests, newest first, in one bounded step downwards from `before_offset`."""
    offsets: list[int] = []
    scanned_bytes = 0
    for first_offset, joined in connection.execute(CHUNKS["ids_before"], (before_offset,)):
        positions = [position_of(digest, joined) for digest in digests]
        offsets += sorted((first_offset + at for at in positions if at >= 0), reverse=True)
        scanned_bytes += len(joined) + _ROW_COST_BYTES
        if scanned_bytes >= _SCAN_BYTES:
            return Scanned(offsets, first_offset)
    return Scanned(offsets, None)


_ROW_COST_BYTES = 256
"""What it takes to step to a row, in bytes searched."""
