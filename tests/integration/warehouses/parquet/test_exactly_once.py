"""Each row is published once, wherever a load breaks off and whatever comes after it."""

import asyncio
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from gateway.model.clock import SystemClock
from gateway.model.envelope import Batch
from gateway.model.errors import WarehouseError
from gateway.warehouses.duckdb.warehouse import opened
from gateway.warehouses.objects import Store, open_store
from gateway.warehouses.parquet import ParquetSettings, open_parquet
from gateway.warehouses.parquet.warehouse import parquet_warehouse
from tests.integration.warehouses.parquet.conftest import NewSettings, ReadBack
from tests.integration.warehouses.support import killed
from tests.integration.warehouses.support.broken import Breaking, Memory
from tests.integration.warehouses.support.objects import folder
from tests.integration.warehouses.support.published import Published
from tests.integration.warehouses.support.store import ENVELOPE, batch_of

ROOT = Path(__file__).parents[4]
FILES_OF_A_LOAD = 3
"""Of `pages`, of `tracks`, and of the event's own table."""


def batches(first: int, following: int) -> list[Batch]:
    """A page and a track in turn."""
    return [
        batch_of([{"type": ("page", "track")[offset % 2], "event": "E", "messageId": f"m{offset}"}], ENVELOPE, offset)
        for offset in range(first, following)
    ]


async def load(settings: ParquetSettings, store: Store, following: int) -> int:
    """Up to there, by a gateway that is started for it and goes on where the state says; how many rows."""
    warehouse = parquet_warehouse(settings, SystemClock(), store)
    async with opened(warehouse):
        first = await warehouse.next_offset("log") or 0
        return (await warehouse.load(batches(first, following), "log", following)).rows


def ids(published: Published) -> list[int]:
    """Of all events, by their own tables; `tracks` has the same as `e`."""
    rows = published.rows("select id from pages union all select id from tracks")
    assert published.rows("select id from tracks order by 1") == published.rows("select id from e order by 1")
    return sorted(int(found.removeprefix("m")) for (found,) in rows)


@pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(FILES_OF_A_LOAD))
async def test_what_could_not_be_published_is_when_the_place_is_back(
    step: int, is_made: bool, settings: NewSettings, read_back: ReadBack
):
    store = open_store(settings())
    await load(settings(), store, 10)

    assert await load(settings(), Breaking(store, step, is_made=is_made), 20) == 10
    await load(settings(), store, 30)

    assert ids(read_back()) == list(range(30))


async def test_the_next_load_waits_until_the_last_one_is_published(settings: NewSettings, read_back: ReadBack):
    store = open_store(settings())
    await load(settings(), store, 10)
    warehouse = parquet_warehouse(settings(), SystemClock(), Breaking(store, 1, is_made=False))

    async with opened(warehouse):
        await warehouse.load(batches(10, 20), "log", 20)
        with pytest.raises(WarehouseError, match="broken"):
            await warehouse.load(batches(20, 30), "log", 30)
        with pytest.raises(WarehouseError, match="broken"):
            await warehouse.catch_up()
        assert await warehouse.next_offset("log") == 20
    await load(settings(), store, 30)

    assert ids(read_back()) == list(range(30))


async def test_without_another_load_it_is_published_nevertheless(settings: NewSettings, read_back: ReadBack):
    store = open_store(settings())
    await load(settings(), store, 10)
    breaking = Breaking(store, 1, is_made=False)
    warehouse = parquet_warehouse(settings(), SystemClock(), breaking)

    async with opened(warehouse):
        await warehouse.load(batches(10, 20), "log", 20)
        breaking.changes = -100
        await warehouse.catch_up()

        assert ids(read_back()) == list(range(20))


async def test_what_belongs_to_no_stored_load_is_removed_and_not_published(settings: NewSettings, read_back: ReadBack):
    await load(settings(), open_store(settings()), 10)
    left = Path(f"{settings().state_path}.outbox") / "tracks!received_date=2025-11-25!log-left.parquet"
    left.write_bytes(b"half a file")

    await load(settings(), open_store(settings()), 20)

    assert not left.exists()
    assert ids(read_back()) == list(range(20))


async def test_a_file_of_the_outbox_that_is_gone_is_named(settings: NewSettings):
    await load(settings(), Breaking(open_store(settings()), 4, is_made=False), 10)
    [missing] = Path(f"{settings().state_path}.outbox").glob("tracks!*")
    missing.unlink()

    with pytest.raises(WarehouseError, match=r"tracks!received_date=2025-11-25.* is missing") as refused:
        async with open_parquet(settings(), SystemClock()):
            raise AssertionError
    assert "put it back" in (refused.value.hint or "")


def test_a_process_that_is_killed_at_any_call_leaves_what_the_next_one_makes_good(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, killed.__file__, "parquet", tmp_path],
        env={"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    steps = sorted(int(each.name) for each in tmp_path.iterdir() if each.name.isdigit())
    assert len(steps) > 2 * FILES_OF_A_LOAD

    reached = set()
    for step in steps:
        place = tmp_path / str(step) / "events"
        reached.add(_finish(ParquetSettings(url=str(place))))
        published = Published(folder(place).contents(), tmp_path / f"read-{step}")
        rows = published.rows("select id from tracks")
        assert sorted(int(found.removeprefix("m")) for (found,) in rows) == list(range(27)), step
        assert not [*place.rglob("*.part"), *place.parent.glob("*.outbox/*")], step
    assert reached == {10, 20}


def _finish(settings: ParquetSettings) -> int:
    """One more load, up to 27; where it began."""

    async def finish() -> int:
        async with open_parquet(settings, SystemClock()) as warehouse:
            stands = await warehouse.next_offset("log")
            assert stands is not None
            await warehouse.load(killed.batches(stands, 27), "log", 27)
            return stands

    return asyncio.run(finish())


Plan = list[tuple[int, int, bool]]
"""For each load: how many events, at which change it breaks (beyond the last: nowhere), whether that change is made."""


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 8), st.booleans()), min_size=1, max_size=5))
@examples(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
async def test_any_run_of_loads_and_breaks_ends_with_each_event_once(plan: Plan):
    with TemporaryDirectory() as scratch:
        settings = ParquetSettings(url="s3://memory", state=Path(scratch) / "state.duckdb")
        store, reached = Memory(), 0
        for events, step, is_made in plan:
            try:
                await load(settings, Breaking(store, step, is_made=is_made), reached + events)
            except WarehouseError:
                continue
            reached += events
        await load(settings, store, 100)

        assert ids(Published(store.contents, Path(scratch) / "read")) == list(range(100))


async def test_an_event_that_is_loaded_beside_the_log_is_stored_once(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await warehouse.load(batches(2, 10), "log", 10)
        for _ in range(2):
            await warehouse.load(batches(1, 2), "log", 10)
        replayed = await warehouse.load(batches(0, 10), "log#replay-1", 10)

        assert (replayed.rows, replayed.duplicates) == (1, 9)
        assert await warehouse.next_offset("log") == 10

    assert ids(read_back()) == list(range(10))
    assert any("/log.replay-1-" in path for path in read_back().paths)
