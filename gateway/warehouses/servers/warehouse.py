"""A warehouse that is a server."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from gateway.model.clock import Clock
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.model.person import Known, Tenure
from gateway.warehouses.contract import Counts, Loaded, Table, Warehouse
from gateway.warehouses.identity.keeper import IdentityKeeper
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.servers import catalogue, cursors
from gateway.warehouses.servers.counts import counts
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.entries import ServerEntries
from gateway.warehouses.servers.journal import changing
from gateway.warehouses.servers.load import Target, make_ready, store
from gateway.warehouses.servers.once import asked_once
from gateway.warehouses.servers.packing import PackFor, Packing, into_files
from gateway.warehouses.servers.people import People
from gateway.warehouses.servers.revision import Revision
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.settings import ServerSettings
from gateway.warehouses.shaping import reading
from gateway.warehouses.shaping.engine import Bounds, ShapingEngine, translated
from gateway.warehouses.shaping.staging import Staging

S = TypeVar("S", bound=ServerSettings)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Server(Generic[S]):
    """A kind of server: its SQL, and how to reach it."""

    dialect: Dialect
    connect: Callable[[S], Session]
    """Says that a driver is missing, and nothing else yet."""
    pack_for: PackFor = into_files
    """How rows are handed over to its sessions."""


class ServerWarehouse:
    """Loads run one at a time in a thread of their own, questions in another; a third stages the next load's events."""

    def __init__(self, settings: ServerSettings, clock: Clock, server: Server[Any], folder: Path) -> None:
        self._limits = settings.limits(server.dialect.capacity)
        self._dialect = server.dialect
        self._session = server.connect(settings)
        self._asking = server.connect(settings)
        self._bounds = Bounds(settings.memory_limit, settings.threads, folder / "spill")
        self._engine = ShapingEngine(self._bounds, folder)
        self._packing = Packing(self._engine, server.pack_for(self._engine, self._dialect))
        self._identity = IdentityKeeper(settings.identity, clock)
        self._loading = ThreadPoolExecutor(1, "warehouse.load")
        self._staging = ThreadPoolExecutor(1, "warehouse.stage")
        self._querying = ThreadPoolExecutor(1, "warehouse.query")
        self._schema: Schema | None = None
        self._shapes: dict[int, Shape] = {}
        self._stage_statement = ""
        self._handover = Lock()
        self._staged: Staging | None = None
        self._begun: Sequence[Packed] | None = None
        """Too late to be staged."""

    async def prepare(self) -> None:
        """Connect, and make the tables of the spec. Raises WarehouseError when that is impossible now."""
        await self._in_thread(self._loading, self._known_schema)

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
        if self._identity.is_due:
            await self._judge_all()

    async def counts(self) -> Counts:
        """See Warehouse."""
        with asked_once():
            return await self._in_thread(self._loading, lambda: counts(self._session, self._dialect))

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Warehouse."""
        with suppress(WarehouseError, WarehouseRowError):
            await self._judge_all()
        with asked_once():
            return await self._in_thread(self._querying, lambda: self._asking.ask(sql, max_rows, timeout_s))

    async def find_person(self, identifier: str) -> Known | None:
        """See Warehouse."""
        await self._in_thread(self._loading, self._catch_up)
        return await self._in_thread(self._querying, lambda: self._people(self._asking).find(identifier))

    async def describe_person(self, identifier: str, max_events: int) -> dict[str, Any] | None:
        """See Warehouse."""

        def describe() -> dict[str, Any] | None:
            people = self._people(self._asking)
            person = people.find(identifier)
            return people.describe(person, max_events) if person else None

        await self._in_thread(self._loading, self._catch_up)
        return await self._in_thread(self._querying, describe)

    async def export_person(self, person_id: str) -> dict[str, Any]:
        """See Warehouse."""

        def export() -> dict[str, Any]:
            people = self._people(self._session)
            person = people.find(person_id)
            return people.export(person, self._tables()) if person else {}

        await self._in_thread(self._loading, self._catch_up)
        return await self._in_thread(self._loading, export)

    async def owners(self, anonymous_ids: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
        """See Warehouse."""
        return await self._in_thread(self._querying, lambda: self._people(self._asking).owners(anonymous_ids))

    async def unmerge(self, left: str, right: str) -> tuple[str, str]:
        """See Warehouse."""
        return await self._revise(lambda revision: revision.unmerge(left, right, self._identity.now_us))

    async def rebuild_identity(self) -> dict[str, Any]:
        """See Warehouse."""
        return await self._revise(lambda revision: revision.rebuild(self._identity.now_us))

    async def forget(self, known: Known) -> dict[str, int]:
        """See Warehouse."""

        def forget(revision: Revision) -> dict[str, int]:
            removed = revision.forget(known, self._tables(), self._identity.now_us)
            cursors.forget(self._session, self._dialect, removed)
            return removed

        return await self._revise(forget)

    def close(self) -> None:
        """Wait for what runs, then release everything."""
        for thread in (self._staging, self._querying, self._loading):
            thread.shutdown()
        self._forget_staged()
        self._engine.close()
        self._session.close()
        self._asking.close()

    # --- in threads

    async def _in_thread(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, work)

    def _next_offset(self, log_id: str) -> int | None:
        """Where the tables are gone meanwhile, the next call makes them anew."""
        try:
            self._known_schema()
            return cursors.next_offset(self._session, self._dialect, log_id)
        except BaseException:
            self._schema = None
            raise

    def _stage(self, batches: Sequence[Packed]) -> None:
        if not self._stage_statement or not batches:
            return
        staging = Staging(self._engine.connection(), batches)
        with translated():
            staging.stage(self._stage_statement)
        with self._handover:
            self._forget_staged()
            if batches is self._begun:
                staging.connection.close()
            else:
                self._staged = staging

    def _forget_staged(self) -> None:
        if self._staged is not None:
            self._staged.connection.close()
            self._staged = None

    def _load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """What a failed load has made of the schema in memory is forgotten: the server knows what is true."""
        try:
            return self._store(self._staging_of(batches), log_id, next_offset)
        except BaseException:
            self._schema = None
            raise

    def _store(self, staging: Staging, log_id: str, next_offset: int) -> Loaded:
        with closing(staging.connection), translated():
            target = self._target()
            present = make_ready(staging, target) if staging.arrived else {}
            self._stage_statement = reading.stage(target.schema.context)
            with self._session.transaction():
                loaded = store(staging, target, present, log_id, next_offset)
        self._identity.settle()
        return loaded

    def _staging_of(self, batches: Sequence[Packed]) -> Staging:
        """The events of these batches, as far as they were staged."""
        with self._handover:
            self._begun = batches
            if self._staged is not None and self._staged.batches is batches:
                staging, self._staged = self._staged, None
                return staging
        return Staging(self._engine.connection(), batches)

    async def _judge_all(self) -> None:
        """Whoever asks now sees what every load of this gateway had to say; of others', what has been judged."""
        if self._identity.waiting:
            await self._in_thread(self._loading, self._catch_up)

    def _catch_up(self) -> None:
        try:
            with self._session.transaction(), changing(self._entries()) as entries:
                self._identity.catch_up(entries)
        except BaseException:
            self._schema = None
            raise
        self._identity.settle()

    async def _revise(self, change: Callable[[Revision], T]) -> T:
        """What the owner does to the graph; what is in memory is read anew after it, whatever came of it."""

        def revise() -> T:
            self._known_schema()
            self._catch_up()
            try:
                with self._session.transaction(), changing(self._entries()) as entries:
                    rules = self._identity.rules
                    revised = change(Revision(self._session, self._dialect, entries, rules, self._bounds))
                    self._identity.revised(entries)
            finally:
                self._schema = None
            return revised

        return await self._in_thread(self._loading, revise)

    def _target(self) -> Target:
        return Target(self._session, self._dialect, self._packing, self._known_schema(), self._shapes, self._identity)

    def _known_schema(self) -> Schema:
        """What is known of the server, read anew where it is not."""
        if self._schema is None:
            schema = catalogue.read_schema(self._dialect, self._session.stored(), self._limits)
            catalogue.grow(self._session, self._dialect, schema, self._identity.rules.blocklist, is_first=True)
            self._identity.prepare(self._entries())
            self._shapes.clear()
            self._schema = schema
        return self._schema

    def _entries(self, session: Session | None = None) -> ServerEntries:
        return ServerEntries(session or self._session, self._dialect, self._packing)

    def _people(self, session: Session) -> People:
        return People(session, self._dialect, self._entries(session))

    def _tables(self) -> dict[str, list[str]]:
        """Every table with events, and its columns."""
        stored = self._session.stored()
        schema = catalogue.read_schema(self._dialect, stored, self._limits)
        return {name: list(stored[name]) for name, table in schema.tables.items() if table.is_stored}


@asynccontextmanager
async def open_server(settings: S, clock: Clock, server: Server[S]) -> AsyncIterator[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the server cannot be reached or used."""
    with tempfile.TemporaryDirectory(prefix="headwater.", dir=settings.scratch) as folder:
        warehouse = await asyncio.to_thread(ServerWarehouse, settings, clock, server, Path(folder))
        try:
            await warehouse.prepare()
            yield warehouse
        finally:
            await asyncio.to_thread(warehouse.close)
