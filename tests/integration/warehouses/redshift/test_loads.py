"""What is Redshift's own, at PostgreSQL: texts that are too long for it, the bucket, and loads that break off."""

import asyncio
from typing import Any

import boto3
import orjson
import pytest

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.redshift import RedshiftSettings
from gateway.warehouses.redshift.dialect import LONGEST_TEXT_BYTES
from tests.integration.warehouses.support.objects import CREDENTIALS
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.places.redshift import BUCKET, StandIn
from tests.integration.warehouses.support.store import Store

DIGITS = "1234567890" * 5


def objects(place: Place) -> list[Any]:
    """What is left of this warehouse in the bucket, which others share."""
    store = boto3.client(
        "s3",
        endpoint_url=place.settings["endpoint"],
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["access_key_id"],
        aws_secret_access_key=CREDENTIALS["secret_access_key"],
    )
    prefix = place.settings["staging"].removeprefix(f"s3://{BUCKET}/")
    return store.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])


async def test_a_text_that_is_too_long_is_in_extra_in_pieces(store: Store):
    long, fits = "ä" * 40_000, "x" * LONGEST_TEXT_BYTES

    loaded = await store.load(
        store.event(properties={"note": "short"}),
        store.event(properties={"note": long, "list": [long, 1]}, context={"page": {"title": long}}),
        store.event(properties={"note": fits}),
    )

    rows = await store.rows("select note, list, context_page_title, _extra from order_completed order by id")
    assert rows[0][0] == "short"
    (note, listed, title, extra) = rows[1]
    assert (note, title) == (None, None)
    pieces, number = orjson.loads(listed)
    assert ("".join(pieces), number) == (long, 1)
    found = orjson.loads(extra)
    assert "".join(found["properties"]["note"]) == "".join(found["context"]["page"]["title"]) == long
    assert all(len(piece.encode()) <= LONGEST_TEXT_BYTES for piece in found["properties"]["note"])
    assert rows[2][0] == fits
    assert loaded.warnings["type"] == 2
    properties = orjson.loads(await store.one("select properties from tracks where id = 'm1'"))
    assert "".join(properties["note"]) == long


async def test_a_number_with_more_digits_than_redshift_keeps_is_a_text_with_all_of_them(store: Store):
    event = '{"type": "track", "messageId": "m", "anonymousId": "a", "event": "E", "properties": {"of": [5, %s]}}'

    await store.load((event % DIGITS).encode())

    assert orjson.loads(await store.one("select properties from tracks")) == {"of": [5, DIGITS]}


async def test_the_bucket_is_empty_after_a_load(place: Place, store: Store):
    await store.load(store.event(type_="identify", userId="u", traits={"plan": "x"}), store.event())

    assert objects(place) == []


async def test_the_bucket_is_empty_after_a_load_that_failed(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any) -> None:
        raise WarehouseError("no")

    monkeypatch.setattr(StandIn, "_copy_from", refuse)
    with pytest.raises(WarehouseError, match="no"):
        await store.load(store.event())

    assert objects(place) == []


async def test_a_bucket_that_is_not_there_is_named(place: Place):
    async with Place(place.kind, {**place.settings, "staging": "s3://nowhere/x"}).open() as warehouse:
        store = Store(warehouse)
        with pytest.raises(WarehouseError, match="NoSuchBucket"):
            await store.load(store.event())


async def test_rows_that_copy_refuses_are_told_from_a_server_that_is(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
):
    def refuse(session: StandIn, *_: Any) -> None:
        session.execute(
            "do $$ begin raise sqlstate 'XX000' using message = 'Load into table ''tracks'' failed.'; end $$"
        )

    monkeypatch.setattr(StandIn, "_copy_from", refuse)

    with pytest.raises(WarehouseRowError, match="Redshift refuses these rows"):
        await store.load(store.event())


@pytest.mark.parametrize(
    "sql", ["delete from tracks", "commit", "truncate tracks", "call own()", "unload ('select 1')"]
)
async def test_a_question_begins_with_what_reads(store: Store, sql: str):
    with pytest.raises(WarehouseError, match="a question only reads"):
        await store.warehouse.query(sql, 10, 10)


async def test_nor_does_it_write_otherwise(store: Store):
    await store.load(store.event())

    with pytest.raises(WarehouseError, match="read-only"):
        await store.warehouse.query("with gone as (delete from tracks returning id) select * from gone", 10, 10)
    with pytest.raises(WarehouseError, match="multiple commands"):
        await store.warehouse.query("select 1; drop table tracks", 10, 10)
    assert await store.one("select count(*) from tracks") == 1


async def test_a_number_in_a_column_of_integers_is_in_extra_for_good(store: Store):
    await store.load(store.event(properties={"total": 1}))
    for _ in range(2):
        await store.load(store.event(properties={"total": 2.5}))
    await store.load(store.event(properties={"total": 3}))

    rows = await store.rows("select total, _extra from order_completed order by id")
    assert [(total, extra and orjson.loads(extra)) for total, extra in rows] == [
        (1, None),
        (None, {"properties": {"total": 2.5}}),
        (None, {"properties": {"total": 2.5}}),
        (3, None),
    ]


async def test_a_campaign_that_is_no_text_stops_nothing(store: Store):
    await store.load(store.event(context={"campaign": {"source": True, "name": 5, "medium": ["a"], "term": "t"}}))

    assert await store.rows("select first_touch_source, first_touch_name, first_touch_term from persons") == [
        ("true", "5", "t")
    ]


async def test_two_gateways_at_once_store_an_event_once(place: Place):
    async with place.open() as first, place.open() as second:
        left, right = Store(first), Store(second)
        events = [left.event(userId=f"u{n}", messageId=f"m{n}") for n in range(100)]

        loaded = await asyncio.gather(
            first.load(left.batches(*events), "left", 100), second.load(right.batches(*events), "right", 100)
        )

        assert sorted((each.rows, each.duplicates) for each in loaded) == [(0, 100), (100, 0)]
        assert await left.rows("select count(*), count(distinct id) from tracks") == [(100, 100)]


def test_settings_say_what_is_wrong_with_them():
    shop = {"database": "shop", "user": "headwater"}
    with pytest.raises(ValueError, match="write a bucket and a prefix"):
        RedshiftSettings.model_validate({**shop, "staging": "bucket"})
    with pytest.raises(ValueError, match="belong together"):
        RedshiftSettings.model_validate({**shop, "staging": "s3://b/p", "access_key_id": "x"})
