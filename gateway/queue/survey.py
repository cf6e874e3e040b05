"""Reads a damaged database: whatever part of it gives an answer, and nothing of it is believed without a check."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.queue.chunks import Body, Chunk, chunk_from, last_chunk
from gateway.queue.codec import DamagedChunkError
from gateway.queue.log import LogRow, get_log_row
from gateway.queue.statements import named_queries
from gateway.queue.store import FILE_NAME

CURSORS = named_queries("cursors")
CHUNKS = named_queries("chunks")
LETTERS = named_queries("letters")

T = TypeVar("T")

_UNREADABLE = (sqlite3.Error, ValueError, TypeError, OverflowError)
"""What reading garbage raises: SQLite's own errors, and Python's on values that cannot be."""

_LAST_OFFSET = 2**62
"""Beyond all that a log can reach."""

CursorRow = tuple[str, int, int, int, int, int, int, str | None, int | None, int]
"""As the query `salvageable` gives it; the ledger comes last."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a damaged database still tells."""

    log: LogRow | None
    cursors: list[CursorRow]
    first_offset: int
    """Where its first readable chunk starts; the end if there is none."""
    end_offset: int
    """No event beyond it was ever acknowledged, as far as can be told."""
    is_end_known: bool
    last_letter_id: int | None


def open_damaged(aside: Path) -> sqlite3.Connection:
    """A connection to a database that was set aside. Only the thread it is opened on may use it.

    Without `writable_schema` SQLite reads nothing of a file that is shorter than its header says.
    """
    connection = sqlite3.connect(aside / FILE_NAME, isolation_level=None, timeout=0)
    attempt(lambda: connection.execute("PRAGMA writable_schema = ON"))
    return connection


def survey(source: sqlite3.Connection) -> Findings:
    """Bounds, cursors and the log's name, each as far as it can be read."""
    log = attempt(lambda: get_log_row(source))
    cursors = [row for row in attempt(lambda: source.execute(CURSORS["salvageable"]).fetchall()) or [] if adds_up(row)]
    last = attempt(lambda: last_chunk(source))
    ids = attempt(lambda: source.execute(CHUNKS["last_ids"]).fetchone())
    ends = [row[2] for row in cursors]
    ends += [last.next_offset] if last else []
    ends += [sum(ids)] if ids else []
    ends += [log.first_offset, log.head_floor] if log else []
    reach = last_readable(source) if last is None else None
    ends += [reach.next_offset] if reach else []
    end_offset = max(ends, default=0)
    first = next_readable(source, log.first_offset if log else 0, end_offset)
    letter = attempt(lambda: source.execute(LETTERS["last_id"]).fetchone() or (0,))
    return Findings(
        log=log,
        cursors=cursors,
        first_offset=first.first_offset if first else end_offset,
        end_offset=end_offset,
        is_end_known=last is not None or ids is not None,
        last_letter_id=letter[0] if letter else None,
    )


def adds_up(row: CursorRow) -> bool:
    """The cursor's ledger is whole."""
    _, start_offset, next_offset, delivered, dead, filtered, retrying, *_ = row
    counts = (delivered, dead, filtered, retrying)
    return all(isinstance(count, int) for count in counts) and sum(counts) == next_offset - start_offset


def next_readable(source: sqlite3.Connection, offset: int, end_offset: int) -> Chunk | None:
    """The next chunk at `offset` or later whose row can be read.

    Where the search meets a damaged page it goes on behind it: strides that double until one lands on whole pages, then
    a bisection for where those begin.
    """
    found = _found_at(source, offset)
    if found:
        return found[0]
    bad, stride = offset, 1
    while bad + stride < end_offset:
        good = bad + stride
        if _found_at(source, good):
            return _first_after(source, bad, good)
        bad, stride = good, stride * 2
    return None


def last_readable(source: sqlite3.Connection) -> Chunk | None:
    """The last chunk that a search from the start reaches, for a log whose end is damaged: strides that double for as
    long as they land on a chunk, then strides that halve."""
    reach = next_readable(source, 0, _LAST_OFFSET)
    stride = 1
    while reach and (beyond := _chunk_at(source, reach.next_offset + stride - 1)):
        reach, stride = beyond, stride * 2
    while reach and stride:
        reach = _chunk_at(source, reach.next_offset + stride - 1) or reach
        stride //= 2
    return reach


def read_body(source: sqlite3.Connection, chunk: Chunk) -> Body | None:
    """The chunk's body if it is what was written."""
    row = attempt(lambda: source.execute(CHUNKS["bodies_from"], (chunk.first_offset,)).fetchone())
    if row is None:
        return None
    body = Body(*row)
    try:
        batch = body.unpack()
    except (DamagedChunkError, TypeError):
        return None
    return body if (body.first_offset, len(batch)) == (chunk.first_offset, body.events) else None


def attempt(read: Callable[[], T]) -> T | None:
    """What `read` returns; None where it meets damage."""
    try:
        return read()
    except _UNREADABLE:
        return None


def _found_at(source: sqlite3.Connection, offset: int) -> tuple[Chunk | None] | None:
    """What the search for `offset` finds; None where it meets damage."""
    return attempt(lambda: (chunk_from(source, offset),))


def _chunk_at(source: sqlite3.Connection, offset: int) -> Chunk | None:
    """What `chunk_from` finds; None also where it meets damage."""
    return attempt(lambda: chunk_from(source, offset))


def _first_after(source: sqlite3.Connection, bad: int, good: int) -> Chunk | None:
    while good - bad > 1:
        middle = (bad + good) // 2
        if _found_at(source, middle):
            good = middle
        else:
            bad = middle
    return chunk_from(source, good)
