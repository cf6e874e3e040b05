"""What readers find in the place."""

import re
from datetime import UTC, date, datetime

import duckdb
import polars as pl
import pytest

from gateway.model.clock import SystemClock
from gateway.model.envelope import Envelope
from gateway.model.errors import WarehouseError
from gateway.warehouses.parquet import open_parquet
from tests.integration.warehouses.parquet.conftest import NewSettings, ReadBack
from tests.integration.warehouses.support.store import ENVELOPE, RECEIVED_AT_MS, Store, batch_of

DAY_MS = 86_400_000
GRAPH = {"identities", "identity_edges", "identity_merges", "identity_spans"}


async def test_each_table_and_day_of_a_load_has_one_file(settings: NewSettings, read_back: ReadBack):
    tomorrow = Envelope("web", RECEIVED_AT_MS + DAY_MS)
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        batches = [
            batch_of([store.event(), store.event("page"), store.event()], ENVELOPE, 7),
            batch_of([store.event()], tomorrow, 10),
        ]
        await warehouse.load(batches, "log", 11)

    published = read_back()
    name = "log-00000000000000000007-00000000000000000011-IDS.parquet"
    paths = [path for path in published.paths if path.partition("/")[0] not in GRAPH]
    assert [re.sub(r"-[0-9a-f]{16}\.", "-IDS.", path) for path in paths] == [
        f"order_completed/received_date=2025-11-25/{name}",
        f"order_completed/received_date=2025-11-26/{name}",
        f"pages/received_date=2025-11-25/{name}",
        f"tracks/received_date=2025-11-25/{name}",
        f"tracks/received_date=2025-11-26/{name}",
    ]
    assert published.rows("select received_date, count(*) from tracks group by all order by all") == [
        (date(2025, 11, 25), 2),
        (date(2025, 11, 26), 1),
    ]


async def test_another_reader_sees_types_and_values(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        properties = {"total": 19.99, "items": 2, "paid": True, "skus": ["a", "b"], "at": "2025-11-25T04:00:00Z"}
        await store.load(store.event(userId="ada", properties=properties))
        await store.load(store.event(properties={"total": 1.5, "gift": "yes"}))

    orders = read_back().frame("order_completed").sort("id")
    assert {name: orders.schema[name] for name in ("total", "items", "paid", "skus", "at", "timestamp", "_extra")} == {
        "total": pl.Float64(),
        "items": pl.Int64(),
        "paid": pl.Boolean(),
        "skus": pl.String(),
        "at": pl.Datetime("us", "UTC"),
        "timestamp": pl.Datetime("us", "UTC"),
        "_extra": pl.String(),
    }
    columns = ["id", "user_id", "total", "items", "paid", "skus", "at", "timestamp"]
    at, now = datetime(2025, 11, 25, 4, tzinfo=UTC), datetime(2025, 11, 25, 5, tzinfo=UTC)
    assert orders.select(columns).rows() == [
        ("m0", "ada", 19.99, 2, True, '["a","b"]', at, now),
        ("m1", None, 1.5, None, None, None, None, now),
    ]


async def test_new_columns_are_in_later_files_and_null_for_earlier_rows(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties={"total": 1.5}))
        await store.load(store.event(properties={"coupon": "X"}, context={"locale": "en"}))

    rows = read_back().rows("select id, total, coupon, context_locale from order_completed order by id")
    assert rows == [("m0", 1.5, None, None), ("m1", None, "X", "en")]


async def test_after_a_restart_files_have_the_columns_that_they_had(settings: NewSettings, read_back: ReadBack):
    """A reader that looks at one file alone sees the table."""
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties={"total": 1.5, "items": 3}))
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store.warehouse = warehouse
        await store.load(store.event(properties={"total": 2.5}))

    published = read_back()
    first, second = (
        pl.read_parquet_schema(published.folder / path)
        for path in published.paths
        if path.startswith("order_completed/")
    )
    assert first == second


async def test_the_type_of_a_column_stays_and_what_does_not_fit_is_in_extra(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties={"price": 10, "name": "Mug"}))
        loaded = await store.load(store.event(properties={"price": 10.5, "name": 7}))
    assert loaded.warnings["type"] == 1

    async with open_parquet(settings(), SystemClock()) as warehouse:
        store.warehouse = warehouse
        await store.load(store.event(properties={"price": 11.5}))

    assert read_back().rows("select id, price, name, _extra from order_completed order by id") == [
        ("m0", 10, "Mug", None),
        ("m1", None, "7", '{"properties":{"price":10.5}}'),
        ("m2", None, None, '{"properties":{"price":11.5}}'),
    ]


async def test_within_its_first_load_a_column_is_made_wide_enough(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties={"price": 10}), store.event(properties={"price": 10.5}))

    assert read_back().rows("select price from order_completed order by id") == [(10.0,), (10.5,)]


async def test_rows_are_sorted_by_the_time_of_the_event(settings: NewSettings, read_back: ReadBack):
    """By which readers skip row groups."""
    moments = [f"2025-11-25T04:{minute:02}:00Z" for minute in (30, 10, 50, 20, 40)]
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(*[store.event(timestamp=moment) for moment in moments])

    times = read_back().frame("tracks")["timestamp"].to_list()
    assert [time.minute for time in times] == [10, 20, 30, 40, 50]


async def test_a_property_called_like_the_folder_keeps_out_of_its_way(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(properties={"received_date": "whenever", "date": "today"}))

    assert read_back().rows("select received_date, _received_date, date from order_completed") == [
        (date(2025, 11, 25), "whenever", "today")
    ]


async def test_duplicates_leave_no_file(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        event = store.event()
        await store.load(event)
        before = read_back().paths
        loaded = await store.load(event)

    assert (loaded.rows, loaded.duplicates) == (0, 1)
    assert read_back().paths == before


async def test_offsets_that_are_given_out_again_write_nothing_over(settings: NewSettings, read_back: ReadBack):
    """As after a queue was put back from a backup."""
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        first, second = store.event(), store.event()
        await warehouse.load([batch_of([first], ENVELOPE)], "log", 1)
        await warehouse.load([batch_of([second], ENVELOPE)], "log", 1)

    assert read_back().rows("select id from tracks order by id") == [("m0",), ("m1",)]


async def test_two_gateways_keep_out_of_each_others_way(settings: NewSettings, read_back: ReadBack):
    """Each knows its own ids alone; docs/warehouses/parquet.md has the query that drops what both have."""
    async with (
        open_parquet(settings("one"), SystemClock()) as one,
        open_parquet(settings("two"), SystemClock()) as two,
    ):
        shared = [{"type": "track", "messageId": "both", "anonymousId": "a1", "event": "E"}]
        own = [{"type": "track", "messageId": "own", "anonymousId": "a1", "event": "E"}]
        await one.load([batch_of(shared, ENVELOPE)], "log-one", 1)
        await two.load([batch_of([*shared, *own], ENVELOPE)], "log-two", 2)

    published = read_back()
    assert published.rows("select count(*) from tracks") == [(3,)]
    once = "select id from tracks qualify row_number() over (partition by source, id order by received_at) = 1"
    assert sorted(published.rows(once)) == [("both",), ("own",)]
    assert len([path for path in published.paths if path.startswith("identities/")]) == 2


@pytest.mark.parametrize("objects", ["s3", "google"], indirect=True)
async def test_questions_about_a_bucket_say_who_answers_them(settings: NewSettings):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        for question in (warehouse.query("from tracks", 1, 1), warehouse.describe_person("ada", 1)):
            with pytest.raises(WarehouseError, match="in a bucket") as refused:
                await question
            assert "Athena" in (refused.value.hint or "")


@pytest.mark.parametrize("objects", ["folder"], indirect=True)
async def test_the_views_of_a_folder_are_in_the_state_for_whoever_opens_it(settings: NewSettings):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(userId="ada", properties={"total": 1.5}))
        assert await store.one("select count(*) from person_events where person_id is not null") == 1

    with duckdb.connect(str(settings().state_path), read_only=True) as notebook:
        assert notebook.execute("select total from order_completed").fetchall() == [(1.5,)]
        assert notebook.execute("select user_id, events from persons").fetchall() == [("ada", 1)]
