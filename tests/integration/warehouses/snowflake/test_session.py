"""What is Snowflake's own."""

import asyncio

import pytest

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.servers.session import Session
from gateway.warehouses.snowflake import SNOWFLAKE
from gateway.warehouses.snowflake.warehouse import connect
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store

DIGITS = "1234567890" * 5


def session(place: Place) -> Session:
    return connect(SNOWFLAKE.settings.model_validate(place.settings))


async def test_a_number_with_more_digits_than_snowflake_keeps_is_a_text_with_all_of_them(store: Store):
    event = '{"type": "track", "messageId": "m", "anonymousId": "a", "event": "E", "properties": {"of": [5, %s, -%s]}}'

    await store.load((event % (DIGITS, DIGITS)).encode())

    assert await store.one("select properties:of[1]::varchar from tracks") == DIGITS
    assert await store.one("select properties:of[2]::varchar from tracks") == f"-{DIGITS}"
    assert await store.one("select properties:of[0]::number from tracks") == 5


async def test_a_text_that_looks_like_such_a_number_is_left_alone(store: Store):
    sent = f"see [1,{DIGITS}] and :{DIGITS}"

    await store.load(store.event(properties={"note": sent, "list": [sent]}))

    assert await store.one("select note from order_completed") == sent
    assert sent in await store.one("select properties::varchar from tracks")


async def test_what_a_question_changes_is_undone(place: Place, store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gateway.warehouses.snowflake.question.READING", {"delete"})
    await store.load(store.event())

    await store.warehouse.query("delete from tracks", 10, 10)

    monkeypatch.undo()
    assert await store.one("select count(*) from tracks") == 1


async def test_two_gateways_at_once_store_an_event_once(place: Place):
    async with place.open() as first, place.open() as second:
        left, right = Store(first), Store(second)
        events = [left.event(userId=f"u{n}", messageId=f"m{n}") for n in range(100)]

        loaded = await asyncio.gather(
            first.load(left.batches(*events), "left", 100), second.load(right.batches(*events), "right", 100)
        )

        assert sorted((each.rows, each.duplicates) for each in loaded) == [(0, 100), (100, 0)]
        assert await left.rows("select count(*), count(distinct id) from tracks") == [(100, 100)]


async def test_a_gateway_waits_for_the_transaction_of_another(place: Place, store: Store):
    other = session(place)
    with other.transaction():
        other.judge_alone()
        waiting = asyncio.create_task(store.load(store.event()))
        await asyncio.sleep(0.3)
        assert not waiting.done()

    assert (await waiting).rows == 1
    other.close()


async def test_rows_that_are_at_fault_are_told_from_a_server_that_is(place: Place, store: Store):
    asked = session(place)

    with pytest.raises(WarehouseRowError, match="Snowflake refuses these rows"):
        asked.fetch("select 'twelve'::number")
    with pytest.raises(WarehouseError, match="Snowflake: "):
        asked.fetch("select 1 from nowhere")
    assert asked.fetch("select 1") == [(1,)]
    asked.close()


async def test_a_server_that_is_not_there_is_named_and_tried_again_later(place: Place):
    gone = Place(place.kind, {**place.settings, "endpoint": "http://127.0.0.1:1"})

    with pytest.raises(WarehouseError, match="check the account, and that headwater has this key"):
        async with gone.open(timeout=1):
            pass


async def test_a_check_of_the_configuration_makes_nothing(place: Place):
    settings = SNOWFLAKE.settings.model_validate(place.settings)

    SNOWFLAKE.probe(settings)

    asked = session(place)
    assert asked.fetch(f"select 1 from information_schema.schemata where schema_name = '{settings.schema_name}'") == []
    asked.close()
