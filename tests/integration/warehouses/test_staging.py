"""A load that was staged ahead stores what it would have stored without."""

import pytest

from gateway.model.errors import WarehouseError
from tests.integration.warehouses.support.store import Store
from tests.integration.warehouses.test_sharing import held_open


async def test_other_events_than_the_staged_ones_may_be_loaded(store: Store):
    await store.load(store.event())
    staged, other = store.batches(store.event()), store.batches(store.event())

    await store.warehouse.stage(staged)
    await store.load_batches(other)
    await store.load_batches(staged)

    assert await store.one("select count(*) from tracks") == 3


async def test_a_load_that_failed_succeeds_later_though_the_next_was_staged_meanwhile(store: Store):
    await store.load(store.event())
    failing, following = store.batches(store.event()), store.batches(store.event())

    with held_open(store.path):
        await store.warehouse.stage(following)
        with pytest.raises(WarehouseError, match="another program has"):
            await store.load_batches(failing)
    await store.load_batches(failing)
    await store.load_batches(following)

    assert await store.one("select count(*) from tracks") == 3


async def test_staging_before_the_first_load_is_left_to_the_load(store: Store):
    batches = store.batches(store.event())

    await store.warehouse.stage(batches)
    await store.load_batches(batches)

    assert await store.one("select count(*) from tracks") == 1
