"""The one connection to the queue's database, and the one thread that uses it."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar, cast

import aiosqlite

from gateway.model.errors import QueueError

P = ParamSpec("P")
T = TypeVar("T")

PAGE_BYTES = 4096
CHECKPOINT_BYTES = 4 * 2**20
"""Size of the journal at which its pages are brought into the database. Commits wait meanwhile: twice as much would
save a few per cent of the work, and double the wait."""
JOURNAL_BYTES = 16 * 2**20
"""A journal that grew beyond this is cut back. Well above CHECKPOINT_BYTES: overwriting a file syncs faster than
growing it."""
CACHE_BYTES = 4 * 2**20

_PRIMARY_CODE = 0xFF
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


class Database(aiosqlite.Connection):
    """aiosqlite's connection, and a way to run a whole function on its thread.

    A commit is dozens of statements with Python between them. aiosqlite offers one statement a hop, and a hop costs
    more than the statement; docs/decisions/queue-one-hop-commits.md has the figures.
    """

    async def run(
        self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """What `function(connection, ...)` returns, called on the connection's thread. Calls keep their order."""
        call = partial(function, self._conn, *args, **kwargs)
        return cast(T, await self._execute(call))  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped


async def connect(path: Path, durability: Literal["full", "normal"]) -> Database:
    """Open or create the database and lock it. Raises QueueError if another process has it open."""

    def connector() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, timeout=0, cached_statements=256)
        try:
            _prepare(connection, durability)
        except BaseException:
            connection.close()
            raise
        return connection

    try:
        database = Database(connector, iter_chunk_size=64)
        await database
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
            raise
        raise QueueError(
            f"another process has the queue at {path} open",
            hint="one daemon for each queue: stop the other one, or give this one a queue.path of its own",
        ) from error
    return database


def _prepare(connection: sqlite3.Connection, durability: Literal["full", "normal"]) -> None:
    """The file's format, if it is new, and how this connection works. The lock is taken here and kept."""
    for pragma in (
        "locking_mode = EXCLUSIVE",
        f"page_size = {PAGE_BYTES}",
        "auto_vacuum = INCREMENTAL",
        "journal_mode = WAL",
        f"synchronous = {durability.upper()}",
        f"wal_autocheckpoint = {CHECKPOINT_BYTES // PAGE_BYTES}",
        f"journal_size_limit = {JOURNAL_BYTES}",
        f"cache_size = {-CACHE_BYTES // 1024}",
        "temp_store = MEMORY",
        "secure_delete = FAST",  # what is deleted is overwritten, where its page is written anyway
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside is on disk when it ends, or nothing is."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def in_transaction(
    connection: sqlite3.Connection,
    function: Callable[Concatenate[sqlite3.Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """`function(connection, ...)` in a transaction of its own."""
    with transaction(connection):
        return function(connection, *args, **kwargs)


def is_damage(error: BaseException) -> bool:
    """The file is not what SQLite wrote; trying again cannot help."""
    return isinstance(error, sqlite3.Error) and _code(error) in _DAMAGE


def is_out_of_room(error: BaseException) -> bool:
    """The disk is full, or refuses to write."""
    return isinstance(error, sqlite3.Error) and _code(error) in _NO_ROOM


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; zero where Python's module raised the error by itself."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY_CODE
