"""DuckDB, the embedded warehouse: one file on the machine itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import duckdb

from gateway.model.clock import Clock
from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.contract import Loaded, Table, Warehouse, WarehouseKind
from gateway.warehouses.duckdb import catalogue
from gateway.warehouses.duckdb.engine import Engine
from gateway.warehouses.duckdb.load import Load
from gateway.warehouses.duckdb.question import ask
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.schema import Limits, Schema, Shape

T = TypeVar("T")

LOADS_BETWEEN_VACUUMS = 64
"""Putting small row groups together costs as much as a load, whether there is one more or sixteen."""


class DuckDBWarehouse:
    """Loads run one at a time in a thread of their own, queries in another."""

    def __init__(self, settings: DuckDBSettings) -> None:
        self._limits = Limits(settings.max_event_tables, settings.max_columns, settings.max_context_columns)
        self._engine = Engine(settings)
        self._loading = ThreadPoolExecutor(1, "warehouse.load")
        self._querying = ThreadPoolExecutor(1, "warehouse.query")
        self._schema: Schema | None = None
        self._shapes: dict[int, Shape] = {}
        self._loads = 0

    async def prepare(self) -> None:
        """Make the file and its own tables. Raises WarehouseError when that is impossible now."""
        await self._in_thread(self._loading, self._prepare)

    async def next_offset(self, log_id: str) -> int | None:
        """See Warehouse."""
        return await self._in_thread(self._loading, lambda: self._next_offset(log_id))

    async def load(self, batches: Sequence[Batch], log_id: str, next_offset: int) -> Loaded:
        """See Warehouse."""
        return await self._in_thread(self._loading, lambda: self._load(batches, log_id, next_offset))

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Warehouse."""
        return await self._in_thread(self._querying, lambda: ask(self._engine, sql, max_rows, timeout_s))

    def close(self) -> None:
        """Wait for what runs, then release everything."""
        self._loading.shutdown()
        self._querying.shutdown()
        self._engine.close()

    async def _in_thread(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    def _prepare(self) -> None:
        with self._engine.attached() as connection:
            catalogue.create_own_tables(connection)

    def _next_offset(self, log_id: str) -> int | None:
        with self._engine.attached() as connection:
            return catalogue.next_offset(connection, log_id)

    def _load(self, batches: Sequence[Batch], log_id: str, next_offset: int) -> Loaded:
        """What a failed load has made of the schema in memory is forgotten: the file knows what is true."""
        try:
            with self._engine.attached() as connection:
                self._allow_vacuum(connection)
                loaded = self._within_transaction(connection, batches, log_id, next_offset)
        except (WarehouseError, WarehouseRowError):
            self._schema = None
            raise
        self._loads += 1
        return loaded

    def _within_transaction(
        self, connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch], log_id: str, next_offset: int
    ) -> Loaded:
        connection.begin()
        if self._schema is None:
            self._shapes.clear()
            catalogue.create_own_tables(connection)
            self._schema = catalogue.read_schema(connection, self._limits)
        loaded = Load(connection, self._schema, self._shapes, batches).run(log_id, next_offset)
        connection.commit()
        self._schema.settle()
        return loaded

    def _allow_vacuum(self, connection: duckdb.DuckDBPyConnection) -> None:
        is_time = self._loads % LOADS_BETWEEN_VACUUMS == LOADS_BETWEEN_VACUUMS - 1
        connection.execute(f"set max_vacuum_tasks = {100 if is_time else 0}")


@asynccontextmanager
async def open_duckdb(settings: DuckDBSettings, _clock: Clock) -> AsyncIterator[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the file cannot be opened."""
    warehouse = DuckDBWarehouse(settings)
    try:
        await warehouse.prepare()
        yield warehouse
    finally:
        await asyncio.to_thread(warehouse.close)


DUCKDB = WarehouseKind(settings=DuckDBSettings, open=open_duckdb)
