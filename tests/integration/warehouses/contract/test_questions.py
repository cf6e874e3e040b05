"""`headwater sql`: one statement that reads, and nothing else."""

import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import Store

REFUSED = [
    "",
    "selec 1",
    "select * from nowhere",
    "select 1; select 2",
    "select 1; delete from tracks where 1 = 1",
    "delete from tracks where 1 = 1",
    "insert into tracks (id) values ('x')",
    "update tracks set id = 'x' where 1 = 1",
    "drop table tracks",
    "drop view users",
    "truncate table tracks",
    "create table mine as select 1 as n",
    "alter table tracks drop column event",
    "commit; delete from tracks where 1 = 1",
    "set session characteristics as transaction read write",
    "rollback",
]


async def test_an_answer_has_columns_and_rows(store: Store):
    await store.load(store.event(messageId="x"), store.event(messageId="y", userId="u1"))

    answer = await store.warehouse.query("select id as word, user_id as who, 1 as one from tracks order by 1", 10, 30)

    assert [column.lower() for column in answer.columns] == ["word", "who", "one"]
    assert ([tuple(row) for row in answer.rows], answer.truncated) == ([("x", None, 1), ("y", "u1", 1)], False)


async def test_an_answer_without_rows_has_columns(store: Store):
    answer = await store.warehouse.query("select id, event from tracks", 10, 30)

    assert ([column.lower() for column in answer.columns], list(answer.rows)) == (["id", "event"], [])


async def test_a_long_answer_is_cut(store: Store):
    await store.load(*(store.event() for _ in range(100)))

    answer = await store.warehouse.query("select id from tracks", 3, 30)
    whole = await store.warehouse.query("select id from tracks", 100, 30)

    assert (len(answer.rows), answer.truncated) == (3, True)
    assert (len(whole.rows), whole.truncated) == (100, False)


async def test_every_way_of_reading_is_allowed(store: Store):
    for sql in ("select 1 as n", "with a as (select 1 as n) select n from a", " select 1 as n -- one"):
        assert await store.rows(sql) == [(1,)]


async def test_everything_else_is_refused_with_the_reason(store: Store):
    await store.load(store.event())

    refusals = {sql: await refusal(store, sql) for sql in REFUSED}

    assert [sql for sql, reason in refusals.items() if not reason] == []
    assert (await store.load(store.event())).rows == 1
    assert await store.one("select count(*) from tracks where event = 'order_completed'") == 2
    assert await store.one("select count(*) from users") == 0


async def refusal(store: Store, sql: str) -> str:
    """Empty when there is none."""
    try:
        await store.warehouse.query(sql, 10, 30)
    except WarehouseError as error:
        return error.message
    return ""


async def test_a_question_that_takes_too_long_is_stopped(store: Store):
    await store.load(*(store.event() for _ in range(1_000)))
    endless = (
        "select count(*) from tracks a, tracks b, tracks c, tracks d where a.id < b.id and b.id < c.id and c.id < d.id"
    )

    with pytest.raises(WarehouseError, match="took longer than"):
        await store.warehouse.query(endless, 10, 0.2)

    assert await store.one("select count(*) from tracks") == 1_000
