"""What an analyst has in the same file."""

import duckdb

from tests.integration.warehouses.support.store import Store


async def test_somebody_elses_table_is_left_alone(store: Store):
    with duckdb.connect(str(store.path)) as analyst:
        analyst.execute("create table order_completed (note varchar)")

    await store.load(store.event(properties={"total": 5}))

    assert await store.rows("select event from tracks") == [("_order_completed",)]
    assert await store.rows("select total from _order_completed") == [(5,)]
    assert await store.one("select count(*) from order_completed") == 0
