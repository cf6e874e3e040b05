"""`headwater sql` of a DuckDB file: what its engine could do besides, it may not."""

import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import Store


@pytest.mark.parametrize("sql", ["describe tracks", "explain select 1", "from tracks", "show tables"])
async def test_every_way_of_reading_is_allowed(store: Store, sql: str):
    await store.load(store.event())

    assert (await store.warehouse.query(sql, 10, 5)).rows


@pytest.mark.parametrize(
    "sql",
    [
        "with gone as (delete from tracks returning id) select * from gone",
        "attach '/tmp/other.duckdb'",
        "copy tracks to '/tmp/tracks.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "set enable_external_access = true",
        "install httpfs",
        "pragma database_list",
        "select * from arrived",
    ],
)
async def test_everything_else_is_refused_with_the_reason(store: Store, sql: str):
    await store.load(store.event())

    with pytest.raises(WarehouseError) as refusal:
        await store.warehouse.query(sql, 10, 5)

    assert refusal.value.message
    assert await store.one("select count(*) from tracks") == 1


async def test_a_question_that_needs_too_much_memory_is_refused(store: Store):
    with pytest.raises(WarehouseError, match="Memory"):
        await store.warehouse.query("select list(range) from range(100000000)", 10, 30)

    assert (await store.load(store.event())).rows == 1
