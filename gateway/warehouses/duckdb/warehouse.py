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
from gateway.warehouses.contract import Counts, Loaded, Table, Warehouse
from gateway.warehouses.duckdb import catalogue
from gateway.warehouses.duckdb.counts import counts, note_forgotten
from gateway.warehouses.duckdb.engine import Engine
from gateway.warehouses.duckdb.file_rows import FileRows
from gateway.warehouses.duckdb.identity import FileIdentity, people
from gateway.warehouses.duckdb.load import FileState, load
from gateway.warehouses.duckdb.question import ask
from gateway.warehouses.duckdb.rows import Rows
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.duckdb.turns import Turns
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.settings import TableSettings
from gateway.warehouses.shaping import reading
from gateway.warehouses.shaping.staging import Staging

T = TypeVar("T")


class DuckDBWarehouse:
    """Loads run one at a time in a thread of their own, queries in another.

    A third thread stages the events of the next load while the one before is committed: those are the two steps that
    have nothing to do with each other. For everything else a load has DuckDB's memory to itself.
    """

    def __init__(self, settings: TableSettings, clock: Clock, engine: Engine, rows: Rows) -> None:
        self._limits = settings.limits(rows.capacity)
        self._engine = engine
        self._rows = rows
        self._identity = FileIdentity(settings.identity, clock, settings.memory_limit)
        self._is_behind = False
        """What follows a load failed: that comes before the next one."""
        self._loading = ThreadPoolExecutor(1, "warehouse.load")
        self._staging = ThreadPoolExecutor(1, "warehouse.stage")
        self._querying = ThreadPoolExecutor(1, "warehouse.query")
        self._schema: Schema | None = None
        self._shapes: dict[int, Shape] = {}
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
        if self._rows.is_due:
            await self._in_thread(self._loading, self._follow_now)

    async def counts(self) -> Counts:
        """See Warehouse."""
        count = partial(counts, rows=self._rows)
        return await self._in_thread(self._loading, lambda: self._read(count))

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Warehouse."""
        self._rows.require_answers()
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

        self._rows.require_answers()
        await self._judge_all()
        return await self._in_thread(self._querying, lambda: self._read(describe))

    async def export_person(self, person_id: str) -> dict[str, Any]:
        """See Warehouse."""

        def export(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
            person = people.find(connection, person_id)
            self._schema = self._schema or self._read_schema(connection)
            return self._rows.export(connection, self._schema, person) if person else {}

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

        def forget(file: duckdb.DuckDBPyConnection, identity: FileIdentity) -> dict[str, int]:
            assert self._schema is not None
            remove_rows = partial(self._rows.remove, file, self._schema, known)
            removed = identity.forget(file, known, remove_rows)
            note_forgotten(file, removed)
            return removed

        return await self._in_thread(self._loading, lambda: self._revise(forget))

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
        with suppress(WarehouseError, WarehouseRowError):
            self._finish()
        self._engine.close()

    def _finish(self) -> None:
        if self._schema is not None:
            if self._rows.publishes_graph and self._identity.keeper.waiting:
                self._catch_up()
            self._read(partial(self._rows.finish, schema=self._schema))

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
            self._rows.grow(connection, schema, self._identity)
            self._identity.show(connection, schema)
            connection.commit()
            schema.settle()
            self._rows.follow(connection, schema, is_busy=False)

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
            return self._store(batches, log_id, next_offset)
        except BaseException:
            with self._turns.load():
                self._schema = None
                self._stage_statement = ""
                self._forget_staged()
            raise

    def _store(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """Keeps its turn until the commit: were the next load staged sooner, it would keep this one waiting."""
        with ExitStack() as turn:
            turn.enter_context(self._turns.load())
            staging = self._begun(batches)
            with closing(staging.connection) as connection, self._engine.attached(connection):
                schema = self._schema = self._schema or self._read_schema(connection)
                if self._is_behind:
                    self._rows.follow(connection, schema, is_busy=False)
                    self._is_behind = False
                connection.begin()
                known = FileState(schema, self._shapes, self._rows, self._identity)
                loaded = load(staging, known, log_id, next_offset)
                self._stage_statement = reading.stage(schema.context)
                is_busy = self._waiting is not None and self._waiting is not batches
                self._rows.before_commit(connection, is_busy=is_busy)
                turn.close()
                connection.commit()
                schema.settle()
                self._identity.keeper.settle()
                self._rows.after_commit(staging, loaded.rows)
                self._follow(connection, schema, is_busy=is_busy)
        return loaded

    def _follow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:
        """After a load that was stored, whatever comes of this; the next one meets what fails here again."""
        try:
            self._rows.follow(connection, schema, is_busy=is_busy)
        except (WarehouseError, duckdb.Error):
            self._schema = None
            self._is_behind = True

    def _follow_now(self) -> None:
        with self._turns.load(), self._engine.attached() as connection:
            schema = self._schema = self._schema or self._read_schema(connection)
            self._rows.follow(connection, schema, is_busy=False)
            self._is_behind = False

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
        if self._is_behind:
            self._follow_now()
        with self._between_loads() as connection:
            self._forget_staged()
            self._identity.catch_up(connection)
            revised = change(connection, self._identity)
        schema, self._schema = self._schema, None
        assert schema is not None
        self._read(partial(self._rows.finish, schema=schema))
        return revised

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
        schema = self._rows.restore(connection, self._limits)
        self._shapes.clear()
        return schema


@asynccontextmanager
async def open_duckdb(settings: DuckDBSettings, clock: Clock) -> AsyncIterator[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the file cannot be opened."""
    warehouse = DuckDBWarehouse(settings, clock, Engine(settings.path, settings), FileRows(settings, clock))
    async with opened(warehouse):
        yield warehouse


@asynccontextmanager
async def opened(warehouse: DuckDBWarehouse) -> AsyncIterator[None]:
    """Prepared, and closed in the end."""
    try:
        await warehouse.prepare()
        yield
    finally:
        await asyncio.to_thread(warehouse.close)
