"""The archive of raw events: each load becomes one compressed object for each source and hour in it, exactly once.

A load is three steps. An intent says which objects it will write; the objects are written; the cursor, written last,
says that the load is done and where the next one begins. A load that broke off leaves an intent without its cursor: the
next one begins by deleting what that intent names, however much of it was written. Every step may be done twice.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, NoReturn, TypeVar

import msgspec

from gateway.govern import Belonging
from gateway.model.clock import Clock
from gateway.model.envelope import Packed
from gateway.model.errors import WarehouseError
from gateway.model.person import Known, Tenure
from gateway.warehouses.archive.bodies import compressed, lines_of
from gateway.warehouses.archive.lines import facts_of, line_of
from gateway.warehouses.archive.names import ObjectName, Place, parse, place_at, state_path
from gateway.warehouses.archive.settings import ArchiveSettings
from gateway.warehouses.contract import Counts, Loaded, Table, Warehouse, WarehouseKind
from gateway.warehouses.objects import Store, open_store, probe_place

T = TypeVar("T")

SUFFIXES = {"gzip": "json.gz", "zstd": "json.zst"}


class Intent(msgspec.Struct, frozen=True):
    """What a load is going to write. It is done when the cursor has its number."""

    load: int
    objects: Sequence[str]


class Position(msgspec.Struct, frozen=True):
    """How far a log is archived, by which of its loads."""

    load: int
    next_offset: int


class Archive:
    """Everything runs in one thread, one after the other: a load, or one object of a person who is forgotten."""

    def __init__(self, settings: ArchiveSettings, store: Store) -> None:
        self._store = store
        self._suffix = SUFFIXES[settings.compression]
        self._is_daily = settings.partition == "day"
        self._work = ThreadPoolExecutor(1, "archive")

    async def next_offset(self, log_id: str) -> int | None:
        """See Warehouse."""
        position = await self._in_thread(lambda: self._position(log_id))
        return None if position is None else position.next_offset

    async def stage(self, batches: Sequence[Packed]) -> None:
        """See Warehouse. A load is short beside the time between two."""

    async def load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """See Warehouse. A replay adds only what no object holds and the log itself will not bring."""
        return await self._in_thread(lambda: self._load(batches, log_id, next_offset))

    async def catch_up(self) -> None:
        """See Warehouse. Nothing is left for later."""

    async def forget(self, known: Known) -> dict[str, int]:
        """See Warehouse. Each object that holds a line of theirs is written anew without it."""
        belongs, removed = Belonging(known), 0
        for path in await self._in_thread(self._objects):
            removed += await self._in_thread(partial(self._purge, path, belongs))
        return {"events": removed}

    async def counts(self) -> Counts:
        """See Warehouse."""
        _refuse()

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:  # noqa: ARG002 - as in every method below
        """See Warehouse."""
        _refuse()

    async def find_person(self, identifier: str) -> Known | None:  # noqa: ARG002
        """See Warehouse. An archive keeps events, and knows nobody."""
        return None

    async def describe_person(self, identifier: str, max_events: int) -> dict[str, Any] | None:  # noqa: ARG002
        """See Warehouse."""
        _refuse()

    async def export_person(self, person_id: str) -> dict[str, Any]:  # noqa: ARG002
        """See Warehouse."""
        _refuse()

    async def owners(self, anonymous_ids: Collection[str]) -> Mapping[str, Sequence[Tenure]]:  # noqa: ARG002
        """See Warehouse."""
        _refuse()

    async def unmerge(self, left: str, right: str) -> tuple[str, str]:  # noqa: ARG002
        """See Warehouse."""
        _refuse()

    async def rebuild_identity(self) -> dict[str, Any]:
        """See Warehouse."""
        _refuse()

    def close(self) -> None:
        """Wait for what runs."""
        self._work.shutdown()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._work, work)

    def _load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        log, _, replay = log_id.partition("#")
        number = self._clean_up(log_id) + 1
        lines = self._lines(batches, self._is_kept(log) if replay else _nothing)
        rows, events = sum(map(len, lines.values())), sum(map(len, batches))
        paths = {
            place: ObjectName(place, batches[0].first_offset, batches[-1].next_offset, log).path(self._suffix)
            for place in lines
        }
        self._put_state(log_id, "intent", Intent(number, list(paths.values())))
        for place, path in paths.items():
            self._store.put(path, compressed(path, b"".join(lines.pop(place))))
        self._put_state(log_id, "cursor", Position(number, next_offset))
        return Loaded(rows, events - rows)

    def _lines(self, batches: Sequence[Packed], is_kept: Callable[[Place, int], bool]) -> dict[Place, list[bytes]]:
        """The lines of each object, without those of events that are kept already."""
        lines: dict[Place, list[bytes]] = defaultdict(list)
        for packed in batches:
            batch = packed.unpack()
            places = [self._place(envelope.source, envelope.received_at_ms) for envelope in batch.envelopes]
            facts = [facts_of(envelope) for envelope in batch.envelopes]
            for index, owner in enumerate(batch.envelope_of):
                offset = batch.offset(index)
                if not is_kept(places[owner], offset):
                    lines[places[owner]].append(line_of(offset, facts[owner], batch.raw(index)))
        return lines

    def _place(self, source: str, received_at_ms: int) -> Place:
        place = place_at(source, received_at_ms)
        return place._replace(hour="") if self._is_daily else place

    def _is_kept(self, log: str) -> Callable[[Place, int], bool]:
        """Which events of the log need not be stored: an object has them, or the log's own cursor has not come to them
        yet. Of a day that is asked for, the names of all objects are read."""
        position = self._position(log)
        until = position.next_offset if position else 0
        days: dict[str, list[ObjectName]] = {}

        def is_kept(place: Place, offset: int) -> bool:
            if place.day_folder not in days:
                names = map(parse, self._store.list(place.day_folder))
                days[place.day_folder] = [name for name in names if name and name.log == log]
            return offset >= until or any(name.holds(place, offset) for name in days[place.day_folder])

        return is_kept

    def _clean_up(self, log_id: str) -> int:
        """What a load left that broke off is gone afterwards; the number of the last one that did not."""
        position = self._position(log_id)
        number = position.load if position else 0
        intent = self._get_state(log_id, "intent", Intent)
        if intent and intent.load != number:
            for path in intent.objects:
                self._store.delete(path)
        return number

    def _objects(self) -> list[str]:
        """Paths of all that hold events."""
        return [path for path in self._store.list("") if parse(path)]

    def _purge(self, path: str, belongs: Belonging) -> int:
        """How many lines of the object were theirs, and are gone."""
        body = self._store.get(path)
        if body is None:
            return 0
        lines = list(lines_of(path, body))
        kept = [line for line, stored in lines if not belongs(stored.raw, stored.envelope)]
        if not kept:
            self._store.delete(path)
        elif len(kept) < len(lines):
            self._store.put(path, compressed(path, b"".join(kept)))
        return len(lines) - len(kept)

    def _position(self, log_id: str) -> Position | None:
        return self._get_state(log_id, "cursor", Position)

    def _get_state(self, log_id: str, name: str, kind: type[T]) -> T | None:
        log, _, replay = log_id.partition("#")
        path = state_path(log, replay, name)
        body = self._store.get(path)
        try:
            return None if body is None else msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise WarehouseError(f"{path} cannot be read: {error}", hint="put back the one that was there") from error

    def _put_state(self, log_id: str, name: str, state: Intent | Position) -> None:
        log, _, replay = log_id.partition("#")
        self._store.put(state_path(log, replay, name), msgspec.json.encode(state))


def _nothing(_place: Place, _offset: int) -> bool:
    """Nothing that the log itself brings is kept already."""
    return False


def _refuse() -> NoReturn:
    raise WarehouseError(
        "an archive keeps events and answers no questions", hint="name a warehouse, or read its objects by another tool"
    )


@asynccontextmanager
async def open_archive(settings: ArchiveSettings, _clock: Clock) -> AsyncIterator[Warehouse]:
    """The archive for as long as the context. Raises WarehouseError when its place cannot be used."""
    archive = Archive(settings, await asyncio.to_thread(open_store, settings))
    try:
        yield archive
    finally:
        await asyncio.to_thread(archive.close)


ARCHIVE = WarehouseKind(settings=ArchiveSettings, open=open_archive, probe=probe_place)
