"""Where loads follow each other, the tracks' own tables wait for their rows; they get each of them once."""

from collections.abc import Iterator

import duckdb
import orjson
import pytest

from gateway.model.clock import ManualClock
from gateway.model.errors import WarehouseError
from gateway.warehouses.duckdb import catalogue
from gateway.warehouses.duckdb.event_tables import ENOUGH_ROWS, LONGEST_WAIT_S, EventTables
from gateway.warehouses.schema import Limits
from tests.integration.warehouses.support.store import OpenStore, Store

LIMITS = Limits(max_event_tables=500, max_columns=200, max_context_columns=150)


class Tracks:
    """A file with `tracks`, and a process that fills the other tables from it."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.clock = ManualClock()
        self.connection.execute(f"attach ':memory:' as {catalogue.DATABASE}; use {catalogue.DATABASE}")
        catalogue.create_own_tables(self.connection)
        catalogue.create_filled(self.connection)
        self.restart()

    def restart(self) -> None:
        self.schema = catalogue.read_schema(self.connection, LIMITS)
        self.tables = EventTables(self.clock)
        self.tables.restore(self.connection, self.schema)

    def load(self, event: str, *properties: dict[str, object]) -> None:
        for each in properties:
            self.schema.learn({"type": "track", "event": event, "properties": each})
        catalogue.write_growth(self.connection, self.schema)
        self.schema.settle()
        self.connection.executemany(
            f"insert into tracks (event, event_text, properties, _load) values (?, ?, ?, {self.tables.next_load})",
            [[self.schema.table_of_event(event), event, orjson.dumps(each).decode()] for each in properties],
        )
        self.tables.stored({self.schema.table_of_event(event): len(properties)})

    def fill(self, *, is_busy: bool) -> None:
        self.tables.fill(self.connection, self.schema, is_busy=is_busy)

    def numbers(self, table: str) -> list[int]:
        return [number for (number,) in self.connection.execute(f"select n from {table} order by n").fetchall()]


@pytest.fixture
def tracks() -> Iterator[Tracks]:
    tracks = Tracks()
    yield tracks
    tracks.connection.close()


def test_a_table_waits_while_there_is_more_to_load(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1})
    tracks.fill(is_busy=True)
    tracks.load("Cart Viewed", {"n": 2})

    assert tracks.numbers("cart_viewed") == []
    tracks.fill(is_busy=False)
    assert tracks.numbers("cart_viewed") == [1, 2]


def test_a_table_with_many_rows_to_come_waits_no_longer(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1})
    tracks.load("Product Viewed", {"n": 1})
    tracks.tables.stored({"product_viewed": ENOUGH_ROWS})
    tracks.fill(is_busy=True)

    assert (tracks.numbers("product_viewed"), tracks.numbers("cart_viewed")) == ([1], [])


def test_a_table_waits_no_longer_than_its_time(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1})
    tracks.clock.advance(LONGEST_WAIT_S)
    tracks.load("Product Viewed", {"n": 1})
    tracks.fill(is_busy=True)

    assert (tracks.numbers("cart_viewed"), tracks.numbers("product_viewed")) == ([1], [])


def test_after_a_restart_each_table_goes_on_where_it_was(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1})
    tracks.load("Product Viewed", {"n": 1})
    tracks.tables.stored({"product_viewed": ENOUGH_ROWS})
    tracks.fill(is_busy=True)
    tracks.load("Product Viewed", {"n": 2})
    tracks.load("Cart Viewed", {"n": 2})

    for _ in range(2):
        tracks.restart()
        tracks.fill(is_busy=False)

    assert (tracks.numbers("product_viewed"), tracks.numbers("cart_viewed")) == ([1, 2], [1, 2])


def test_the_numbers_of_loads_go_on_after_a_restart(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1})
    tracks.fill(is_busy=False)
    tracks.restart()
    tracks.load("Cart Viewed", {"n": 2})
    tracks.restart()
    tracks.load("Cart Viewed", {"n": 3})
    tracks.fill(is_busy=False)

    assert tracks.numbers("cart_viewed") == [1, 2, 3]


def test_a_failed_fill_leaves_the_rows_waiting(tracks: Tracks):
    tracks.load("Cart Viewed", {"n": 1000})
    tracks.connection.execute("alter table cart_viewed alter n type tinyint")
    with pytest.raises(WarehouseError, match="cannot fill cart_viewed"):
        tracks.fill(is_busy=False)
    tracks.connection.rollback()
    tracks.connection.execute("alter table cart_viewed alter n type bigint")

    tracks.fill(is_busy=False)

    assert tracks.numbers("cart_viewed") == [1000]


async def test_rows_that_a_killed_process_left_waiting_are_there_after_the_start(open_store: OpenStore):
    first = await open_store()
    await first.load(first.event(properties={"total": 1, "item": {"sku": "a"}}, context={"locale": "en"}))
    await first.load(first.event("page", name="Home"))
    first.warehouse.close()  # type: ignore[attr-defined]
    with duckdb.connect(str(first.path)) as file:
        file.execute("delete from order_completed")
        file.execute("delete from _headwater_filled")

    second = await open_store()

    assert await second.rows("select total, item_sku, context_locale from order_completed") == [(1, "a", "en")]
    await second.load(second.event(messageId="z", properties={"total": 2}))
    assert await second.rows("select total, item_sku from order_completed order by 1") == [(1, "a"), (2, None)]


async def test_many_names_in_one_load_need_no_more_memory_than_few(open_store: OpenStore):
    store = await open_store(memory_limit=32 * 2**20)
    context = {f"key {number}": number for number in range(60)}

    loaded = await store.load(
        *(store.event(event=f"Event {name}", properties={"n": name}, context=context) for name in range(250))
    )

    assert loaded.rows == 250
    assert await store.one("select n from event_249") == 249
    assert await store.one("select count(*) from duckdb_tables() where table_name like 'event\\_%' escape '\\'") == 250


async def test_repaired_rows_are_in_their_table_once(store: Store):
    await store.load(store.event(properties={"total": 5}))

    await store.load(store.event(properties={"total": "many"}), store.event(properties={"total": 6}))

    assert await store.rows("select total, _extra from order_completed order by total nulls last") == [
        (5, None),
        (6, None),
        (None, '{"properties":{"total":"many"}}'),
    ]
