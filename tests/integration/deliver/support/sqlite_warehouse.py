"""A warehouse in a SQLite file: real transactions, and faults on demand."""

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Literal

from gateway.config import BatchSettings, DestinationSettings, RetrySettings
from gateway.model.clock import Clock
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseRowError
from gateway.warehouses import Loaded, Table, WarehouseKind


class SqliteSettings(DestinationSettings):
    type: Literal["sqlite"] = "sqlite"
    path: Path


class SqliteWarehouse:
    """What `faults` holds may raise, to stand for an outage, a crash, or a fault of the code."""

    def __init__(self, path: Path, faults: "Faults") -> None:
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, source TEXT)")
        self.database.execute("CREATE TABLE IF NOT EXISTS cursors (log_id TEXT PRIMARY KEY, next_offset INTEGER)")
        self.faults = faults

    async def next_offset(self, log_id: str) -> int | None:
        row = self.database.execute("SELECT next_offset FROM cursors WHERE log_id = ?", [log_id]).fetchone()
        return row and row[0]

    async def stage(self, batches: Sequence[Packed]) -> None:  # noqa: ARG002 - the contract's arguments
        """There is nothing to do ahead."""
        await self.faults.before_stage()

    async def catch_up(self) -> None:
        """There is nothing to do later."""

    async def load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        events = [(json.loads(stored.raw), stored.envelope.source) for batch in batches for stored in batch.unpack()]
        await self.faults.before_load()
        self.faults.loads.append(len(events))
        if any(event.get("poison") for event, _ in events):
            raise WarehouseRowError("a row that no table can hold")
        self.database.execute("BEGIN")
        before = self.database.total_changes
        self.database.executemany(
            "INSERT OR IGNORE INTO events VALUES (?, ?)", [(event["messageId"], source) for event, source in events]
        )
        rows = self.database.total_changes - before
        self.database.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", [log_id, next_offset])
        self.database.execute("COMMIT")
        await self.faults.after_commit()
        return Loaded(rows, len(events) - rows, {"misfit": 1} if events else {})

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:  # noqa: ARG002 - the contract's arguments
        rows = self.database.execute(sql).fetchmany(max_rows)
        return Table([], rows, truncated=False)


async def nothing() -> None:
    """No fault."""


def failing(error: BaseException) -> Callable[[], Awaitable[None]]:
    """Raises the error each time."""

    async def fail() -> None:
        raise error

    return fail


class Faults:
    """What goes wrong, and what was asked."""

    def __init__(self) -> None:
        self.before_open: Callable[[], Awaitable[None]] = nothing
        self.before_stage: Callable[[], Awaitable[None]] = nothing
        self.before_load: Callable[[], Awaitable[None]] = nothing
        self.after_commit: Callable[[], Awaitable[None]] = nothing
        self.loads: list[int] = []


def sqlite_kind(faults: Faults) -> WarehouseKind[SqliteSettings]:
    @asynccontextmanager
    async def open_warehouse(settings: SqliteSettings, _clock: Clock) -> AsyncIterator[SqliteWarehouse]:
        await faults.before_open()
        warehouse = SqliteWarehouse(settings.path, faults)
        try:
            yield warehouse
        finally:
            warehouse.database.close()

    return WarehouseKind(SqliteSettings, open_warehouse)


class Store:
    """The warehouse of a test: its settings, its rows, its faults."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults = Faults()
        self.kind = sqlite_kind(self.faults)

    def settings(self, **more: Any) -> SqliteSettings:
        """Batches of 50, quick to try again."""
        retry = RetrySettings(first_delay=0.01, max_delay=0.02)
        return SqliteSettings(**{"path": self.path, "retry": retry, "batch": BatchSettings(max_events=50), **more})

    def rows(self) -> list[str]:
        """The ids that are stored."""
        with closing(sqlite3.connect(self.path)) as database:
            return sorted(row[0] for row in database.execute("SELECT id FROM events"))
