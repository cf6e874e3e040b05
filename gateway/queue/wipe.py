"""Leaves nothing of what was deleted in the database's files.

SQLite deletes by marking space as free: pages on its list of free pages, room within pages that are in use, and old
versions of pages in the journal. `secure_delete` overwrites a row that is deleted, but not the copies of it that were
left behind when rows moved from one page to another: only laying a table anew does.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.queue.commit import bytes_used
from gateway.queue.database import transaction

WHOLE_BYTES = 64 * 2**20
"""A database up to this size is laid anew as a whole: about a second in which commits wait."""
STEP_PAGES = 1024

_SMALL_TABLES = ("letters", "rejects", "forgetting", "cursors")
"""Those whose rows name people in plain text. The log's are compressed, and were written over in their place."""


def lay_anew(connection: sqlite3.Connection, whole_bytes: int) -> None:
    """Write tables anew, so that no slack of their pages holds anything: all of them, or those that name people in
    plain text where the log is large."""
    with _spilling(connection):
        if bytes_used(connection) <= whole_bytes:
            connection.execute("VACUUM")
            return
        for table in _SMALL_TABLES:
            _lay_table_anew(connection, table)


def give_back(connection: sqlite3.Connection) -> bool:
    """Overwrite or cut off some of the free pages; True while there are more."""
    connection.execute(f"PRAGMA incremental_vacuum({STEP_PAGES})").fetchall()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    return bool(free)


def empty_journal(connection: sqlite3.Connection) -> None:
    """Bring the journal's pages into the database, and cut it to nothing."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _lay_table_anew(connection: sqlite3.Connection, table: str) -> None:
    """A table that is emptied as a whole gives all its pages back."""
    connection.execute(f"CREATE TEMP TABLE laid AS SELECT * FROM main.{table}")  # noqa: S608 - a name of ours
    try:
        with transaction(connection):
            connection.execute(f"DELETE FROM main.{table}")  # noqa: S608 - a name of ours
            connection.execute(f"INSERT INTO main.{table} SELECT * FROM temp.laid")  # noqa: S608 - a name of ours
    finally:
        connection.execute("DROP TABLE temp.laid")


@contextmanager
def _spilling(connection: sqlite3.Connection) -> Iterator[None]:
    """What is laid anew may be more than memory should hold: SQLite keeps it in a file without a name meanwhile."""
    connection.execute("PRAGMA temp_store = FILE")
    try:
        yield
    finally:
        connection.execute("PRAGMA temp_store = MEMORY")
