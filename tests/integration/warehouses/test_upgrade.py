"""A file that an earlier version wrote is taken over."""

import duckdb

from tests.integration.warehouses.support.store import OpenStore


async def test_rows_of_an_earlier_version_stay_once_where_they_are(open_store: OpenStore):
    first = await open_store()
    await first.load(first.event(properties={"total": 1}))
    first.warehouse.close()  # type: ignore[attr-defined]
    with duckdb.connect(str(first.path)) as file:
        file.execute("alter table tracks drop column _load")
        file.execute("drop table _headwater_filled")

    second = await open_store()
    await second.load(second.event(messageId="z", properties={"total": 2}))

    assert await second.rows("select total from order_completed order by 1") == [(1,), (2,)]
    assert await second.one("select count(*) from tracks") == 2
