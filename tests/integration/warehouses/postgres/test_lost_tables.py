"""Somebody drops the schema while the gateway runs."""

import psycopg
import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store


async def test_tables_that_are_gone_are_made_anew_by_whoever_asks_how_far_they_are(place: Place, store: Store):
    await store.load(store.event())
    with psycopg.connect(host=place.settings["host"], dbname="postgres", user="headwater", autocommit=True) as owner:
        owner.execute(f"drop schema {place.settings['schema']} cascade".encode())

    with pytest.raises(WarehouseError, match="does not exist"):
        await store.warehouse.next_offset("log")

    assert await store.warehouse.next_offset("log") is None
    assert (await store.load(store.event())).rows == 1


async def test_a_question_that_is_wrong_is_not_said_to_be_tried_again(store: Store):
    with pytest.raises(WarehouseError, match='"nope" does not exist') as raised:
        await store.warehouse.query("select nope from tracks", 1, 30)

    assert "tried again" not in raised.value.hint
