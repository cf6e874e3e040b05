"""Processes that load are killed, at any moment, and others go on: every event is stored once."""

import asyncio
import json
import sys

import pytest

from gateway.warehouses.contract import Handed
from tests.integration.warehouses.support.endless_loads import EVENTS, EVENTS_OF_PERSON, event
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store

LOADS = "tests.integration.warehouses.support.endless_loads"


@pytest.mark.timeout(300)
async def test_every_event_is_stored_once_whenever_the_process_is_killed(place: Place):
    command = [sys.executable, "-m", LOADS, place.kind.name, json.dumps(place.settings), str(place.kind.kills)]
    process = await asyncio.create_subprocess_exec(*command)
    assert await process.wait() == 0

    async with place.open() as warehouse:
        store = Store(warehouse)
        offset = await warehouse.next_offset("log") or 0
        assert offset > place.kind.kills * EVENTS // 4
        store.offset = offset
        await store.load(*map(event, range(offset, offset + EVENTS)))  # where the last process may have broken off
        offset += EVENTS
        stored = [event(number) for number in range(offset)]
        for table, kind in (("tracks", "track"), ("pages", "page"), ("identifies", "identify")):
            await assert_once(store, table, [each["messageId"] for each in stored if each["type"] == kind])
        for name in sorted({each["event"] for each in stored}):
            own = [each["messageId"] for each in stored if (each["type"], each["event"]) == ("track", name)]
            await assert_once(store, name.lower().replace(" ", "_"), own)
        await assert_known(store, offset)
        await assert_counted(store, offset)
        store.offset = offset - EVENTS
        again = await store.load(*stored[-EVENTS:])
        assert (again.rows, again.duplicates) == (0, EVENTS)


async def assert_once(store: Store, table: str, ids: list[str]) -> None:
    answer = await store.warehouse.query(f"select id from {table}", 1_000_000, 60)
    assert sorted(id_ for (id_,) in answer.rows) == sorted(ids), table


async def assert_counted(store: Store, offset: int) -> None:
    """A load that broke off before it was whole may have been counted not at all, and never twice."""
    counts = await store.warehouse.counts()
    assert counts.ids == sum((counts.rows or {}).values()) == offset
    assert counts.logs["log"] == Handed(offset, offset)


async def assert_known(store: Store, offset: int) -> None:
    """Everybody is one person, and nobody else is; the graph says so however it is computed."""
    answer = await store.warehouse.query("select id, person_id from person_events", 1_000_000, 60)
    found = {int(id_.removeprefix("m")): person_id for id_, person_id in answer.rows}
    pairs = {(number // EVENTS_OF_PERSON, person_id) for number, person_id in found.items()}
    assert len(found) == len(answer.rows) == offset
    assert len(pairs) == len({person_id for _, person_id in pairs}) == offset // EVENTS_OF_PERSON
    assert (await store.warehouse.rebuild_identity())["differences"] == 0
