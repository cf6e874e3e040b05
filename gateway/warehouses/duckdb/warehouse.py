"""DuckDB, the embedded warehouse: one file on the machine itself."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import duckdb

from gateway.model.clock import Clock
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.model.person import Known, Tenure
from gateway.warehouses.contract import Loaded, Table, Warehouse, WarehouseKind
from gateway.warehouses.duckdb import catalogue
from gateway.warehouses.duckdb.engine import Engine
from gateway.warehouses.duckdb.event_tables import EventTables
from gateway.warehouses.duckdb.identity import FileIdentity, people
from gateway.warehouses.duckdb.load import FileState, load
from gateway.warehouses.duckdb.probe import probe
from gateway.warehouses.duckdb.question import ask
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.duckdb.turns import Turns
from gateway.warehouses.schema import Limits, Schema, Shape
from gateway.warehouses.shaping import reading
from gateway.warehouses.shaping.staging import Staging

T = TypeVar("T")

LOADS_BETWEEN_VACUUMS = 16
VACUUM_TASKS = 2
"""Row groups that one vacuum makes of smaller ones, for each table: it keeps the load that does it waiting."""


class DuckDBWarehouse:
    """Loads run one at a time in a thread of their own, queries in another.

    A third thread stages the events of the next load while the one before is committed: those are the two steps that
    have nothing to do with each other. For everything else a load has DuckDB's memory to itself.
    """

    def __init__(self, settings: DuckDBSettings, clock: Clock) -> None:
        self._limits = Limits(settings.max_event_tables, settings.max_columns, settings.max_context_columns)
        self._engine = Engine(settings)
        self._event_tables = EventTables(clock)
        self._identity = FileIdentity(settings.identity, clock, settings.memory_limit)
        self._has_unfilled = False
        """Filling them failed: that comes before the next load."""
        self._loading = ThreadPoolExecutor(1, "warehouse.load")
        self._staging = ThreadPoolExecutor(1, "warehouse.stage")
        self._querying = ThreadPoolExecutor(1, "warehouse.query")
        self._schema: Schema | None = None
        self._shapes: dict[int, Shape] = {}
        self._loads = 0
        self._rows_since_vacuum = 0
        self._few_rows = LOADS_BETWEEN_VACUUMS * settings.batch.max_events // 2
        self._turns = Turns()
        self._waiting: Sequence[Packed] | None = None
        """To be staged: there is more to load at once."""
        self._begun_last: Sequence[Packed] | None = None
        """Too late to be staged."""
        self._stage_statement = ""
        self._staged: Staging | None = None
        self._is_closed = False

    async def prepare(self) -> None:
        """Make the file and its own tables. Raises WarehouseError when that is impossible now."""
        await self._in_thread(self._loading, self._prepare)

    async def next_offset(self, log_id: str) -> int | None:
        """See Warehouse."""
        return await self._in_thread(self._loading, lambda: self._next_offset(log_id))

    async def stage(self, batches: Sequence[Packed]) -> None:
        """See Warehouse."""
        await self._in_thread(self._staging, lambda: self._stage(batches))

    async def load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """See Warehouse."""
        return await self._in_thread(self._loading, lambda: self._load(batches, log_id, next_offset))

    async def catch_up(self) -> None:
        """See Warehouse."""
        if self._identity.keeper.is_due:
            await self._judge_all()

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Warehouse."""
        with suppress(WarehouseError, WarehouseRowError):
            await self._judge_all()
        return await self._in_thread(self._querying, lambda: ask(self._engine, sql, max_rows, timeout_s))

    async def find_person(self, identifier: str) -> Known | None:
        """See Warehouse."""
        await self._judge_all()
        ask = partial(people.find, identifier=identifier)
        return await self._in_thread(self._querying, lambda: self._read(ask))

    async def describe_person(self, identifier: str, max_events: int) -> dict[str, Any] | None:
        """See Warehouse."""

        def describe(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
            person = people.find(connection, identifier)
            return people.describe(connection, person, max_events) if person else None

        await self._judge_all()
        return await self._in_thread(self._querying, lambda: self._read(describe))

    async def export_person(self, person_id: str) -> dict[str, Any]:
        """See Warehouse."""

        def export(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
            person = people.find(connection, person_id)
            return people.export(connection, person, self._tables(connection)) if person else {}

        await self._judge_all()
        return await self._in_thread(self._loading, lambda: self._read(export))

    async def owners(self, anonymous_ids: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
        """See Warehouse."""
        ask = partial(people.owners, devices=anonymous_ids)
        return await self._in_thread(self._querying, lambda: self._read(ask))

    async def unmerge(self, left: str, right: str) -> tuple[str, str]:
        """See Warehouse."""
        return await self._in_thread(
            self._loading, lambda: self._revise(lambda file, identity: identity.unmerge(file, left, right))
        )

    async def rebuild_identity(self) -> dict[str, Any]:
        """See Warehouse."""
        return await self._in_thread(self._loading, lambda: self._revise(lambda file, identity: identity.rebuild(file)))

    async def forget(self, known: Known) -> dict[str, int]:
        """See Warehouse."""
        return await self._in_thread(
            self._loading,
            lambda: self._revise(lambda file, identity: identity.forget(file, known, self._tables(file))),
        )

    def close(self) -> None:
        """Wait for what runs, then release everything. Once more changes nothing.

        The engine goes first, in a thread of its own: what it keeps for each thread must not be given back by one that
        ends while the engine is taken down.
        """
        if self._is_closed:
            return
        self._is_closed = True
        threads = (self._staging, self._querying, self._loading)
        for thread in threads:
            thread.submit(lambda: None).result()
        self._loading.submit(self._release).result()
        for thread in threads:
            thread.shutdown()

    def _release(self) -> None:
        self._forget_staged()
        self._engine.close()

    async def _judge_all(self) -> None:
        """Whoever asks now sees what every load had to say."""
        if self._identity.keeper.waiting:
            await self._in_thread(self._loading, self._catch_up)

    async def _in_thread(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    def _prepare(self) -> None:
        """The tables of the spec are there before the first event, for whoever asks for them."""
        with self._engine.attached() as connection:
            schema = self._read_schema(connection)
            connection.begin()
            catalogue.write_growth(connection, schema, self._identity)
            self._identity.show(connection, schema)
            connection.commit()
            schema.settle()
            self._event_tables.fill(connection, schema, is_busy=False)

    def _next_offset(self, log_id: str) -> int | None:
        with self._engine.attached() as connection:
            return catalogue.next_offset(connection, log_id)

    def _stage(self, batches: Sequence[Packed]) -> None:
        self._waiting = batches
        with self._turns.stage():
            self._waiting = None
            self._forget_staged()
            if self._stage_statement and batches and batches is not self._begun_last:
                self._staged = Staging(self._engine.connection(), batches)
                self._staged.stage(self._stage_statement)

    def _forget_staged(self) -> None:
        """For whoever has the turn."""
        if self._staged is not None:
            self._staged.connection.close()
            self._staged = None

    def _load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """What a failed load has made of the schema in memory is forgotten: the file knows what is true.

        So is what was staged: its connection would keep an engine alive that failed, and the file with it.
        """
        try:
            loaded = self._store(batches, log_id, next_offset)
        except BaseException:
            with self._turns.load():
                self._schema = None
                self._stage_statement = ""
                self._forget_staged()
            raise
        self._loads += 1
        self._rows_since_vacuum += loaded.rows
        return loaded

    def _store(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """Keeps its turn until the commit: were the next load staged sooner, it would keep this one waiting."""
        with ExitStack() as turn:
            turn.enter_context(self._turns.load())
            staging = self._begun(batches)
            with closing(staging.connection) as connection, self._engine.attached(connection):
                schema = self._schema = self._schema or self._read_schema(connection)
                if self._has_unfilled:
                    self._event_tables.fill(connection, schema, is_busy=False)
                    self._has_unfilled = False
                connection.begin()
                number = self._event_tables.next_load
                loaded = load(staging, FileState(schema, self._shapes, number, self._identity), log_id, next_offset)
                self._stage_statement = reading.stage(schema.context)
                is_busy = self._waiting is not None and self._waiting is not batches
                self._allow_vacuum(connection, is_busy=is_busy)
                turn.close()
                connection.commit()
                schema.settle()
                self._identity.keeper.settle()
                self._event_tables.stored(staging.event_rows)
                self._fill_event_tables(connection, schema, is_busy=is_busy)
        return loaded

    def _fill_event_tables(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:
        """After a load that was stored, whatever comes of this; the next one meets what fails here again."""
        try:
            self._event_tables.fill(connection, schema, is_busy=is_busy)
        except (WarehouseError, duckdb.Error):
            self._schema = None
            self._has_unfilled = True

    def _read(self, ask: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        with self._engine.attached() as connection:
            return ask(connection)

    @contextmanager
    def _between_loads(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction of its own. Where it fails, what it has made of memory is forgotten: the file knows better."""
        with self._turns.load(), self._engine.attached() as connection:
            self._schema = self._schema or self._read_schema(connection)
            connection.begin()
            try:
                yield connection
                connection.commit()
            except BaseException:
                self._schema = None
                raise

    def _catch_up(self) -> None:
        with self._between_loads() as connection:
            self._identity.catch_up(connection)
        self._identity.keeper.settle()

    def _revise(self, change: Callable[[duckdb.DuckDBPyConnection, FileIdentity], T]) -> T:
        """What the owner does to the graph; what is in memory is read anew after it."""
        with self._between_loads() as connection:
            self._forget_staged()
            self._identity.catch_up(connection)
            revised = change(connection, self._identity)
        self._schema = None
        return revised

    def _tables(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Every table with events."""
        schema = catalogue.read_schema(connection, self._limits)
        return [table.name for table in schema.tables.values() if table.is_stored]

    def _begun(self, batches: Sequence[Packed]) -> Staging:
        """The events of these batches, as far as they were staged."""
        self._begun_last = batches
        if self._staged is not None and self._staged.batches is batches:
            staging, self._staged = self._staged, None
            return staging
        return Staging(self._engine.connection(), batches)

    def _read_schema(self, connection: duckdb.DuckDBPyConnection) -> Schema:
        """Everything that is known of the file, anew."""
        catalogue.create_own_tables(connection)
        self._identity.prepare(connection)
        schema = catalogue.read_schema(connection, self._limits)
        self._event_tables.restore(connection, schema)
        self._shapes.clear()
        return schema

    def _allow_vacuum(self, connection: duckdb.DuckDBPyConnection, *, is_busy: bool) -> None:
        """Small loads leave small row groups, which are put together when there is time and memory to spare."""
        is_time = self._loads % LOADS_BETWEEN_VACUUMS == LOADS_BETWEEN_VACUUMS - 1
        is_quiet = not is_busy and self._rows_since_vacuum < self._few_rows
        connection.execute(f"set max_vacuum_tasks = {VACUUM_TASKS if is_time and is_quiet else 0}")
        if is_time:
            self._rows_since_vacuum = 0


@asynccontextmanager
async def open_duckdb(settings: DuckDBSettings, clock: Clock) -> AsyncIterator[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the file cannot be opened."""
    warehouse = DuckDBWarehouse(settings, clock)
    try:
        await warehouse.prepare()
        yield warehouse
    finally:
        await asyncio.to_thread(warehouse.close)


DUCKDB = WarehouseKind(settings=DuckDBSettings, open=open_duckdb, probe=probe)
