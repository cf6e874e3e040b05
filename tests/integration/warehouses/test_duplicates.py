"""An event is stored once, whatever is loaded again."""

import asyncio
import sys
from pathlib import Path

from tests.integration.warehouses.support.store import ENVELOPE, OpenStore, Store, batch_of


async def test_an_id_is_stored_once(store: Store):
    event, other = store.event(), store.event()

    first = await store.load(event, event, other)
    again = await store.load(other, event, store.event())

    assert (first.rows, first.duplicates) == (2, 1)
    assert (again.rows, again.duplicates) == (1, 2)
    assert await store.one("select count(*) from tracks") == 3
    assert await store.one("select count(*) from order_completed") == 3


async def test_the_first_of_two_events_with_one_id_is_kept(store: Store):
    await store.load(store.event(messageId="x", properties={"n": 1}), store.event(messageId="x", properties={"n": 2}))

    assert await store.rows("select n from order_completed") == [(1,)]


async def test_two_sources_may_use_the_same_id(store: Store):
    event = store.event()

    await store.load(event)
    loaded = await store.load(event, envelope=ENVELOPE._replace(source="ios"))

    assert loaded.rows == 1


async def test_ids_are_known_after_a_restart(open_store: OpenStore):
    first = await open_store()
    event = first.event()
    await first.load(event)
    second = await open_store()

    assert (await second.load(event)).duplicates == 1


async def test_a_duplicate_that_looks_different_makes_no_trouble(store: Store):
    await store.load(store.event(messageId="x"))

    loaded = await store.load(store.event(messageId="x", event="Other", context={"new": 1}, properties={"new": "2"}))

    assert (loaded.rows, loaded.duplicates) == (0, 1)
    assert await store.one("select count(*) from tracks") == 1


async def test_the_cursor_moves_with_the_rows(open_store: OpenStore):
    store = await open_store()
    assert await store.warehouse.next_offset("log") is None

    await store.load(store.event(), store.event())
    await store.warehouse.load([], "replay", 7)

    reopened = (await open_store()).warehouse
    assert [await reopened.next_offset(log) for log in ("log", "replay", "other")] == [2, 7, None]


async def test_a_batch_that_begins_within_a_request_keeps_its_envelopes(store: Store):
    whole = batch_of([store.event() for _ in range(5)], ENVELOPE)

    loaded = await store.warehouse.load([whole.slice(1, 3), whole.slice(3, 5)], "log", 5)

    assert loaded.rows == 4
    assert await store.rows("select distinct source from tracks") == [("web",)]
    assert await store.one("select count(*) from tracks where id = 'm0'") == 0


async def test_a_process_that_dies_leaves_whole_loads(tmp_path: Path, open_store: OpenStore):
    """Loads of 100 events in a process that is killed again and again; what is there is a multiple of a load."""
    path = tmp_path / "killed.duckdb"
    for _ in range(5):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", LOADER, str(path), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(3):
            await process.stdout.readline()
        process.kill()
        await process.wait()

    store = await open_store(path=path)
    stored = await store.warehouse.next_offset("log") or 0
    assert stored >= 1500
    assert await store.one("select count(*) from tracks") == stored
    assert await store.one("select count(distinct id) from tracks") == stored
    assert await store.one("select count(*) from order_completed") == stored
    assert await store.one("select count(*) from identity_edges") == stored
    assert await store.one("select count(distinct person_id) from person_events") == stored // 2
    assert await store.warehouse.rebuild_identity() == {"edges": stored, "differences": 0, "examples": []}


LOADER = "tests.integration.warehouses.support.endless_loads"
