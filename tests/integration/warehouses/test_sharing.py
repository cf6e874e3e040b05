"""The file is shared with analysts: it is open only while it is used, and what they do cannot lose events."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import OpenStore, Store

HOLDING = """
import duckdb, sys
held = duckdb.connect(sys.argv[1], read_only=True)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_open(path: Path) -> Iterator[None]:
    """The file as a notebook holds it."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as notebook:
        assert notebook.stdout is not None
        notebook.stdout.readline()
        yield
        notebook.communicate()


async def test_anyone_may_read_the_file_between_loads(store: Store):
    await store.load(store.event(properties={"total": 5}))

    with duckdb.connect(str(store.path), read_only=True) as notebook:
        assert notebook.execute("select total from order_completed").fetchall() == [(5,)]
        assert notebook.execute("select count(*) from users").fetchall() == [(0,)]


async def test_a_file_that_is_held_is_waited_for(store: Store):
    event = store.event()
    with held_open(store.path), pytest.raises(WarehouseError, match="another program has"):
        await store.load(event)

    assert (await store.load(event)).rows == 1


async def test_a_file_that_is_held_at_the_start_is_said(open_store: OpenStore, tmp_path: Path):
    path = tmp_path / "held.duckdb"
    duckdb.connect(str(path)).close()
    with held_open(path), pytest.raises(WarehouseError, match="loading goes on once it closes it"):
        await open_store(path=path)


async def test_what_is_no_database_is_said(open_store: OpenStore, tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("hello" * 1000)

    with pytest.raises(WarehouseError, match="is a DuckDB file"):
        await open_store(path=path)

    assert path.read_text() == "hello" * 1000


async def test_tables_that_an_analyst_changed_are_read_again(store: Store):
    event = store.event(properties={"total": 5, "tip": 1})
    await store.load(event)
    with duckdb.connect(str(store.path)) as analyst:
        analyst.execute("alter table order_completed drop column tip")

    await store.load(store.event(properties={"total": 6, "tip": 2}))
    await store.load(store.event(properties={"total": 7, "tip": 3}))

    assert await store.rows("select total, tip from order_completed order by total") == [(5, None), (6, 2), (7, 3)]


async def test_a_failed_load_leaves_nothing(store: Store):
    await store.load(store.event())
    with duckdb.connect(str(store.path)) as analyst:
        analyst.execute("alter table tracks rename to kept")

    with pytest.raises(WarehouseError):
        await store.load(store.event("page", name="Home"), store.event())

    assert await store.one("select count(*) from pages") == 0
    assert await store.warehouse.next_offset("log") == 1


async def test_a_deleted_file_is_begun_anew(store: Store):
    await store.load(store.event())
    store.path.unlink()

    with pytest.raises(WarehouseError):
        await store.load(store.event())

    assert (await store.load(store.event())).rows == 1


async def test_queries_run_beside_loads(store: Store):
    async def load() -> None:
        for _ in range(20):
            await store.load(*(store.event() for _ in range(200)))

    async def count() -> list[int]:
        return [await store.one("select count(*) from tracks") for _ in range(20)]

    await store.load(store.event())
    _, counts = await asyncio.gather(load(), count())

    assert counts == sorted(counts)
    assert {(each - 1) % 200 for each in counts} == {0}
