"""What a warehouse counts is what it holds, and its plan is what opening it does."""

import asyncio

from gateway.model.person import Known
from gateway.warehouses.contract import Handed
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Store


async def test_it_counts_what_it_was_handed_and_what_it_holds(store: Store):
    event, page = store.event(), store.event(type_="page")

    await store.load(event, event, page)
    await store.load(page, store.event(type_="identify", userId="ada"))
    await store.warehouse.load([], "other", 7)
    counts = await store.warehouse.counts()

    assert counts.logs == {"log": Handed(5, 5), "other": Handed(7, 0)}
    assert (counts.ids, counts.forgotten) == (3, 0)
    assert counts.rows is not None
    assert {name: rows for name, rows in counts.rows.items() if rows} == {"tracks": 1, "pages": 1, "identifies": 1}


async def test_the_rows_of_whoever_is_forgotten_are_counted(store: Store):
    await store.load(store.event(userId="ada"), store.event(type_="page", userId="ada"), store.event(anonymousId="b"))
    ada = await store.warehouse.find_person("ada")
    assert ada is not None

    await store.warehouse.forget(ada)
    await store.warehouse.forget(Known("p", frozenset({"nobody"}), [], []))
    counts = await store.warehouse.counts()

    assert (counts.ids, counts.forgotten, sum((counts.rows or {}).values())) == (3, 2, 1)


async def plan_of(place: Place) -> list[str]:
    kind = place.kind.kind
    assert kind.plan is not None
    return await asyncio.to_thread(kind.plan, kind.settings.model_validate(place.settings))


async def test_its_plan_makes_nothing_and_is_what_opening_it_does(place: Place):
    first = await plan_of(place)

    again = await plan_of(place)
    async with place.open():
        pass
    afterwards = await plan_of(place)

    assert first == again
    assert sum("create table" in statement.lower() for statement in first) > 10
    assert set(afterwards) < set(first)
    assert not any("create table" in statement.lower() for statement in afterwards)
