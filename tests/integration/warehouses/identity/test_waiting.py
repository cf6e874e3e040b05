"""Where judging takes long, links wait with their rows: nothing is lost, and whoever asks gets the whole answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses import Warehouse
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from tests.integration.warehouses.identity.slow_machine import SlowMachine
from tests.integration.warehouses.support.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "warehouse.duckdb"


@pytest.fixture
def clock() -> SlowMachine:
    return SlowMachine()


@pytest.fixture
async def warehouse(path: Path, clock: SlowMachine) -> AsyncIterator[Warehouse]:
    async with open_duckdb(DuckDBSettings(path=path), clock) as warehouse:
        yield warehouse


async def load_two(store: Store) -> None:
    """The second one waits for the first."""
    await store.load(store.event("identify", anonymousId="d1", userId="ann"))
    await store.load(store.event("page", anonymousId="d2"), store.event("identify", anonymousId="d2", userId="ann"))


def edges_in_file(path: Path) -> int:
    """As a program sees them that opens the file itself."""
    with duckdb.connect(str(path), read_only=True) as connection:
        ((number,),) = connection.execute("select count(*) from identity_edges").fetchall()
    return int(number)


async def test_rows_are_there_and_links_wait(warehouse: Warehouse, path: Path):
    await load_two(Store(warehouse, path))

    assert edges_in_file(path) == 1


async def test_who_asks_sees_all(warehouse: Warehouse, path: Path):
    store = Store(warehouse, path)
    await load_two(store)

    found = await warehouse.find_person("d2")
    assert found is not None
    assert found.user_ids == {"ann"}
    assert await store.one("select count(distinct person_id) from person_events") == 1
    assert edges_in_file(path) == 2


async def test_after_the_rest_they_are_judged_without_a_load(warehouse: Warehouse, path: Path, clock: SlowMachine):
    await load_two(Store(warehouse, path))
    await warehouse.catch_up()
    assert edges_in_file(path) == 1

    clock.advance(30)
    await warehouse.catch_up()

    assert edges_in_file(path) == 2


async def test_a_load_after_the_rest_judges_what_waits(warehouse: Warehouse, path: Path, clock: SlowMachine):
    store = Store(warehouse, path)
    await load_two(store)
    clock.advance(30)

    await store.load(store.event("identify", anonymousId="d3", userId="bob"))

    assert edges_in_file(path) == 3


async def test_many_do_not_wait(warehouse: Warehouse, path: Path):
    store = Store(warehouse, path)
    await load_two(store)

    await store.load(*(store.event("identify", anonymousId=f"n{n}", userId=f"n{n}") for n in range(20_000)))

    assert edges_in_file(path) == 20_002


async def test_what_comes_of_it_is_told_by_a_later_load(warehouse: Warehouse, path: Path):
    store = Store(warehouse, path)
    await load_two(store)
    await store.load(store.event("alias", userId="bob", previousId="ann"))
    await store.load(store.event("identify", userId="bob", anonymousId="d9", traits={"email": "b@shop.example"}))
    assert (await warehouse.find_person("bob")) is not None

    told = [(await store.load(store.event("page"))).identity.get("merge", 0) for _ in range(40)]

    assert sum(told) == 1


async def test_a_restart_judges_what_waited(path: Path):
    async with open_duckdb(DuckDBSettings(path=path), SlowMachine()) as warehouse:
        await load_two(Store(warehouse, path))
    assert edges_in_file(path) == 1

    async with open_duckdb(DuckDBSettings(path=path), SlowMachine()) as warehouse:
        await warehouse.catch_up()

    assert edges_in_file(path) == 2


async def test_a_person_is_forgotten_with_what_waits(warehouse: Warehouse, path: Path):
    store = Store(warehouse, path)
    await load_two(store)

    known = await warehouse.find_person("ann")
    assert known is not None
    await warehouse.forget(known)

    assert edges_in_file(path) == 0
    assert await store.one("select count(*) from person_events") == 0


async def test_a_revision_that_fails_leaves_all_as_it_was(warehouse: Warehouse, path: Path):
    store = Store(warehouse, path)
    await load_two(store)

    with pytest.raises(WarehouseError, match="no event links"):
        await warehouse.unmerge("ann", "nobody")

    assert edges_in_file(path) == 1
    await store.load(store.event("identify", anonymousId="d3", userId="ann"))
    assert await store.one("select count(distinct person_id) from person_events") == 1
    assert edges_in_file(path) == 3
