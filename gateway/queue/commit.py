"""One commit, on the database's thread: new events and whatever else waits to be written, in one transaction."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.model.errors import QueueError
from gateway.queue.append import AppendedChunks, Appender, Submission
from gateway.queue.database import transaction
from gateway.queue.log import LOG, Log

Write = Callable[[sqlite3.Connection], Any]
"""Changes rows in the transaction that is open. A QueueError it raises undoes its own changes alone."""


class Order(NamedTuple):
    """A write that waits for its commit."""

    write: Write
    future: asyncio.Future[Any]


@dataclass(slots=True)
class Commit:
    """What goes to disk together; the outcome is filled in once it is there."""

    submissions: Sequence[Submission]
    orders: Sequence[Order]
    appended: AppendedChunks | None = None
    """None until the commit is on disk."""
    results: Sequence[Any] = ()
    """What each order returned, or the QueueError it raised."""
    sealed_offset: int | None = None
    """Where the dedupe's runs end now, if that moved."""
    bytes_used: int = 0

    @property
    def is_done(self) -> bool:
        """It is on disk."""
        return self.appended is not None

    def without_events(self) -> "Commit":
        """The orders alone."""
        return Commit((), self.orders)


def run_commit(connection: sqlite3.Connection, commit: Commit, appender: Appender, log: Log) -> None:
    """Write it all and fill in the outcome. Raises sqlite3.Error, and then nothing of it is on disk."""
    dedupe = appender.dedupe
    remember_sealed = None
    with transaction(connection):
        if dedupe.wants_sealing:
            remember_sealed = dedupe.seal(connection)
            connection.execute(LOG["set_sealed_offset"], {"sealed_offset": log.head_offset})
        appended = appender.append(connection, commit.submissions, log.head_offset)
        results = [_result(connection, order.write) for order in commit.orders]
    if remember_sealed:
        remember_sealed()
        commit.sealed_offset = log.head_offset
    dedupe.remember(appended.digests, appended.received_at_ms)
    commit.results = results
    commit.bytes_used = bytes_used(connection)
    commit.appended = appended


def bytes_used(connection: sqlite3.Connection) -> int:
    """Bytes of the database that hold something; free pages are used again first."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page_bytes)


def _result(connection: sqlite3.Connection, write: Write) -> Any:
    connection.execute("SAVEPOINT write")
    try:
        result = write(connection)
    except QueueError as error:
        connection.execute("ROLLBACK TO write")
        result = error
    connection.execute("RELEASE write")
    return result
