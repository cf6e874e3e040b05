"""The ring of refused events: bounded in bytes, and kept for a day."""

import sqlite3
from collections.abc import Iterable, Sequence

from gateway.queue.records import Rejected
from gateway.queue.statements import named_queries

REJECTS = named_queries("rejects")

KEEP_MS = 86_400_000
_TRIM_ROWS = 200
_ROW_BYTES = 64
"""What a row costs besides its texts and its body."""


def size_of(rejected: Rejected) -> int:
    """Bytes it takes in the ring."""
    return len(rejected.body) + len(rejected.detail) + _ROW_BYTES


def insert_rejects(connection: sqlite3.Connection, rejects: Sequence[Rejected]) -> None:
    """Add to the ring, oldest first."""
    rows = (
        (each.at_ms, each.source, each.reason, _text(each.detail), _text(each.ip), size_of(each), each.body)
        for each in rejects
    )
    connection.executemany(REJECTS["insert"], rows)


def newest_rejects(connection: sqlite3.Connection, limit: int, after_ms: int) -> list[Rejected]:
    """Newest first, those after `after_ms`."""
    return [Rejected(*row) for row in connection.execute(REJECTS["newest"], (after_ms, limit))]


def all_rejects(connection: sqlite3.Connection) -> list[tuple[int, Rejected]]:
    """The whole ring, which is bounded, oldest first, each with its row's id."""
    return [(row[0], Rejected(*row[1:])) for row in connection.execute(REJECTS["all"])]


def delete_rejects(connection: sqlite3.Connection, ids: Iterable[int]) -> None:
    """Take these out of the ring."""
    connection.executemany(REJECTS["delete"], ((row_id,) for row_id in ids))


def rejects_bytes(connection: sqlite3.Connection) -> int:
    """Size of the ring; reads all of it, so ask once."""
    (total,) = connection.execute(REJECTS["total_size"]).fetchone()
    return int(total)


def trim_rejects(connection: sqlite3.Connection, excess_bytes: int, now_ms: int) -> int:
    """Remove the oldest, a bounded number, while they are over a day old or over the size; the bytes that went."""
    freed, last_id = 0, None
    for row_id, at_ms, size in connection.execute(REJECTS["oldest"], (_TRIM_ROWS,)):
        if at_ms >= now_ms - KEEP_MS and freed >= excess_bytes:
            break
        freed, last_id = freed + size, row_id
    if last_id is not None:
        connection.execute(REJECTS["delete_through"], (last_id,))
    return freed


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
