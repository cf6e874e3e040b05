"""`headwater sql`: one statement that reads, and nothing else."""

import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import Store


async def test_an_answer_has_columns_and_rows(store: Store):
    answer = await store.warehouse.query("select 1 as one, 'x' as text union all select 2, 'y' order by 1", 10, 5)

    assert (answer.columns, answer.rows, answer.truncated) == (["one", "text"], [(1, "x"), (2, "y")], False)


async def test_a_long_answer_is_cut(store: Store):
    answer = await store.warehouse.query("from range(100)", 3, 5)

    assert (len(answer.rows), answer.truncated) == (3, True)


@pytest.mark.parametrize("sql", ["describe tracks", "explain select 1", "with a as (select 1) from a", "show tables"])
async def test_every_way_of_reading_is_allowed(store: Store, sql: str):
    await store.load(store.event())

    assert (await store.warehouse.query(sql, 10, 5)).rows


@pytest.mark.parametrize(
    "sql",
    [
        "drop table tracks",
        "insert into tracks (id) values ('x')",
        "with gone as (delete from tracks returning id) select * from gone",
        "select 1; select 2",
        "",
        "attach '/tmp/other.duckdb'",
        "copy tracks to '/tmp/tracks.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "set enable_external_access = true",
        "install httpfs",
        "pragma database_list",
        "selec 1",
        "select * from arrived",
    ],
)
async def test_everything_else_is_refused_with_the_reason(store: Store, sql: str):
    await store.load(store.event())

    with pytest.raises(WarehouseError) as refusal:
        await store.warehouse.query(sql, 10, 5)

    assert refusal.value.message
    assert await store.one("select count(*) from tracks") == 1


async def test_a_question_that_takes_too_long_is_stopped(store: Store):
    with pytest.raises(WarehouseError, match="took longer than"):
        await store.warehouse.query("select count(*) from range(1000000000000)", 10, 0.2)

    assert await store.one("select 1") == 1


async def test_a_question_that_needs_too_much_memory_is_refused(store: Store):
    with pytest.raises(WarehouseError, match="Memory"):
        await store.warehouse.query("select list(range) from range(100000000)", 10, 30)

    assert (await store.load(store.event())).rows == 1
