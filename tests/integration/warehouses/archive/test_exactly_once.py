"""Each event is in the archive once, wherever a load breaks off and whatever is loaded after it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.clock import SystemClock
from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseError
from gateway.warehouses.archive import open_archive
from gateway.warehouses.archive.archive import Archive
from gateway.warehouses.objects import Store, open_store
from tests.integration.warehouses.support import killed
from tests.integration.warehouses.support.broken import Breaking, Memory
from tests.integration.warehouses.support.killed import batches
from tests.integration.warehouses.support.objects import Objects, folder, plain
from tests.integration.warehouses.support.store import batch_of

ROOT = Path(__file__).parents[4]
SETTINGS = folder(Path("/nowhere")).settings()
CHANGES_OF_A_LOAD = 4
"""The intent, an object for each of two sources, the cursor."""


@contextmanager
def archive_in(store: Store) -> Iterator[Archive]:
    archive = Archive(SETTINGS, store)
    try:
        yield archive
    finally:
        archive.close()


async def load(store: Store, first: int, following: int, log_id: str = "log") -> tuple[int, int]:
    """By an archive that is opened for it, as after a restart; (rows, duplicates)."""
    with archive_in(store) as archive:
        loaded = await archive.load(batches(first, following), log_id, following)
    return loaded.rows, loaded.duplicates


async def position(store: Store, log_id: str = "log") -> int:
    with archive_in(store) as archive:
        return await archive.next_offset(log_id) or 0


@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(CHANGES_OF_A_LOAD + 1))
@pytest.mark.parametrize("following", [20, 17, 26], ids=["same", "shorter", "longer"])
async def test_a_load_that_breaks_off_anywhere_is_made_good_by_the_next_one(
    following: int, step: int, is_made: bool, objects: Objects
):
    store = open_store(objects.settings())
    await load(store, 0, 10)
    breaking = Breaking(store, step, is_made=is_made)

    if step < CHANGES_OF_A_LOAD:
        with pytest.raises(WarehouseError, match="broken"):
            await load(breaking, 10, 20)
    else:
        await load(breaking, 10, 20)
    stands = await position(store)
    assert stands == (20 if step + is_made >= CHANGES_OF_A_LOAD else 10)
    await load(store, stands, max(stands, following))
    await load(store, max(stands, following), 30)

    assert objects.offsets() == list(range(30))


@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(CHANGES_OF_A_LOAD + 2))
async def test_so_is_one_that_breaks_off_while_it_cleans_up_after_another(step: int, is_made: bool, objects: Objects):
    store = open_store(objects.settings())
    with pytest.raises(WarehouseError, match="broken"):
        await load(Breaking(store, CHANGES_OF_A_LOAD - 1, is_made=False), 0, 10)

    with pytest.raises(WarehouseError, match="broken"):
        await load(Breaking(store, step, is_made=is_made), 0, 15)
    stands = await position(store)
    await load(store, stands, 30)

    assert objects.offsets() == list(range(30))


async def test_a_load_that_is_repeated_writes_the_same_objects(objects: Objects):
    store = open_store(objects.settings())
    with pytest.raises(WarehouseError, match="broken"):
        await load(Breaking(store, CHANGES_OF_A_LOAD - 1, is_made=False), 0, 10)
    before = objects.paths(), objects.lines()

    await load(store, 0, 10)

    assert (objects.paths(), objects.lines()) == before


def test_a_process_that_is_killed_at_any_call_leaves_what_the_next_one_makes_good(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, killed.__file__, "archive", tmp_path],
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    steps = sorted(int(each.name) for each in tmp_path.iterdir())
    assert len(steps) > 3 * CHANGES_OF_A_LOAD

    for step in steps:
        objects = folder(tmp_path / str(step))
        store = open_store(objects.settings())
        with archive_in(store) as archive:
            stands = archive._position("log")
            assert stands is not None
            assert stands.next_offset == 20 if step == steps[-1] else stands.next_offset in {10, 20}
            archive._load(batches(stands.next_offset, 27), "log", 27)
        assert objects.offsets() == list(range(27)), step
        assert not list((tmp_path / str(step)).rglob("*.part")), step


Plan = list[tuple[int, int, bool]]
"""For each load: how many events, at which change it breaks (beyond the last: nowhere), whether that change is made."""


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 8), st.booleans()), min_size=1, max_size=12))
def test_any_run_of_loads_and_breaks_ends_with_each_event_once(plan: Plan):
    store = Memory()
    for events, step, is_made in plan:
        with archive_in(Breaking(store, step, is_made=is_made)) as archive:
            stands = archive._position("log")
            first = stands.next_offset if stands else 0
            try:
                archive._load(batches(first, first + events), "log", first + events)
            except WarehouseError:
                continue
    with archive_in(store) as archive:
        stands = archive._position("log")
        first = stands.next_offset if stands else 0
        archive._load(batches(first, 200), "log", 200)

    assert offsets_in(store) == list(range(200))


def offsets_in(store: Memory) -> list[int]:
    with archive_in(store) as archive:
        paths = archive._objects()
    lines = [line for path in paths for line in plain(path, store.contents[path]).splitlines()]
    return sorted(int(line.split(b",")[0].removeprefix(b'{"offset":')) for line in lines)


async def test_a_load_without_events_moves_the_cursor_alone(objects: Objects):
    async with open_archive(objects.settings(), SystemClock()) as archive:
        await archive.load(batches(0, 4), "log", 4)
        await archive.load([], "log", 9)
        assert await archive.next_offset("log") == 9

    assert objects.offsets() == [0, 1, 2, 3]


async def test_an_event_that_is_loaded_beside_the_log_leaves_its_cursor_where_it_is():
    store = Memory()
    await load(store, 5, 10)

    with archive_in(store) as archive:
        for _ in range(2):
            await archive.load(batches(3, 4), "log", 10)

        assert await archive.next_offset("log") == 10
    assert offsets_in(store) == [3, *range(5, 10)]


async def test_logs_have_nothing_to_do_with_each_other():
    store = Memory()
    await load(store, 0, 10)

    with archive_in(store) as archive:
        assert await archive.next_offset("other") is None
        await archive.load(batches(0, 10), "other", 10)
        await archive.load(batches(10, 12), "other", 12)
        assert await archive.next_offset("log") == 10

    assert len(offsets_in(store)) == 22


async def test_a_replay_adds_nothing_that_is_there_or_will_come():
    store = Memory()
    await load(store, 5, 10)
    await load(store, 10, 20)

    assert await load(store, 7, 15, "log#replay-1") == (0, 8)
    assert await load(store, 15, 25, "log#replay-1") == (0, 10)
    assert await position(store, "log#replay-1") == 25
    await load(store, 20, 30)

    assert offsets_in(store) == list(range(5, 30))


@pytest.mark.parametrize("step", range(6))
@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
async def test_a_replay_adds_what_is_missing_once_though_it_breaks_off(step: int, is_made: bool):
    store = Memory()
    with archive_in(store) as archive:
        await archive.load([only_web(0, 20)], "log", 20)
    assert offsets_in(store) == list(range(0, 20, 2))

    try:
        await load(Breaking(store, step, is_made=is_made), 4, 10, "log#replay-1")
    except WarehouseError:
        assert step < CHANGES_OF_A_LOAD
    first = max(4, await position(store, "log#replay-1"))
    await load(store, first, 12, "log#replay-1")
    await load(store, 2, 14, "log#replay-2")

    assert offsets_in(store) == sorted([*range(0, 20, 2), *range(3, 14, 2)])


def only_web(first: int, following: int) -> Batch:
    """What is left of a span when one source is taken."""
    found = [batch for batch in batches(first, following) if batch.envelope(0).source == "web"]
    whole = batch_of([batch.raw(0) for batch in found], found[0].envelope(0), first)
    offsets = type(whole.bounds)("Q", [batch.first_offset for batch in found])
    return Batch(first, whole.blob, whole.bounds, whole.envelopes, whole.envelope_of, offsets)
