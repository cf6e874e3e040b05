"""Two gateways load into one warehouse at once: every event once, and no error that does not heal by repeating."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from threading import Event as Never
from typing import Any, TypeVar

import pytest

from gateway.model.clock import SystemClock
from gateway.model.errors import WarehouseError
from gateway.model.event import from_epoch_ms, to_iso
from gateway.warehouses.servers.entries import ServerEntries
from tests.integration.warehouses.identity.slow_machine import SlowMachine
from tests.integration.warehouses.support.graph_truth import assert_right
from tests.integration.warehouses.support.kept import lost
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event, OpenStore, Store

T = TypeVar("T")
ROUNDS = 6
MOST_TRIES = 10
VALUES = [1, 1.5, "x", True, [1], "2026-11-25T12:00:00Z", {"a": 1}, 2**60, "2026-11-26T12:00:00Z", {"a": "x"}]


@pytest.fixture
async def stores(open_store: OpenStore) -> list[Store]:
    return await gateways(open_store)


async def gateways(open_store: OpenStore, **settings: Any) -> list[Store]:
    """Two. Each reads a log of its own."""
    stores = [await open_store(**settings) for _ in range(2)]
    for number, store in enumerate(stores):
        store.log_id = f"log {number}"
    return stores


async def repeated(do: Callable[[], Awaitable[T]]) -> T:
    """What failed is tried again as it was."""
    for _ in range(MOST_TRIES - 1):
        try:
            return await do()
        except WarehouseError:
            continue
    return await do()


async def load_each(store: Store, loads: Sequence[list[Event]]) -> int:
    """One after the other, as delivery does it. How many events were stored."""
    rows = 0
    for events in loads:
        batches = store.batches(*events)
        rows += (await repeated(partial(store.load_batches, batches))).rows
    return rows


async def load_at_once(stores: list[Store], loads: Sequence[Sequence[list[Event]]]) -> int:
    """The loads of each; how many events were stored together. What waits to be judged is judged, whoever asks."""
    stored = sum(await asyncio.gather(*map(load_each, stores, loads)))
    await stores[0].warehouse.find_person("anybody")
    return stored


async def test_an_empty_warehouse_is_opened_by_both(place: Place):
    async def open_and_load(number: int) -> int:
        async with place.open() as warehouse:
            store = Store(warehouse)
            store.log_id = f"log {number}"
            return await load_each(store, [[store.event(messageId=f"{number}")]])

    assert await asyncio.gather(*map(open_and_load, range(2))) == [1, 1]

    async with place.open() as warehouse:
        assert await Store(warehouse).one("select count(*) from order_completed") == 2


async def test_the_same_ids_are_stored_once(stores: list[Store]):
    loads = [
        [{"type": "track", "messageId": f"m{number}", "event": "A", "anonymousId": f"d{number}"} for number in numbers]
        for numbers in (range(start, start + 200) for start in range(0, ROUNDS * 200, 200))
    ]

    stored = await load_at_once(stores, [loads, [list(reversed(load)) for load in loads]])

    assert stored == ROUNDS * 200
    for table in ("tracks", "a", "person_events"):
        assert await stores[0].one(f"select count(*) from {table}") == ROUNDS * 200
    assert await stores[0].one("select count(distinct id) from tracks") == ROUNDS * 200
    assert [await store.warehouse.next_offset(store.log_id) for store in stores] == [ROUNDS * 200] * 2


async def test_both_make_the_schema_grow_whatever_types_the_other_has_seen(place: Place, stores: list[Store]):
    loads = [[growing(gateway, number) for number in range(ROUNDS)] for gateway in range(2)]

    stored = await load_at_once(stores, loads)

    events = [event for of_gateway in loads for load in of_gateway for event in load]
    assert stored == len(events)
    assert await lost(place, stores[0], events) == []
    for table in ("tracks", "identifies"):
        assert await stores[1].one(f"select count(*) from {table}") == ROUNDS * 2 * len(VALUES)


def growing(gateway: int, number: int) -> list[Event]:
    """New names, the same in both gateways, whose values have other types in the other one."""
    values = VALUES if gateway == 0 else VALUES[::-1]
    bodies = [{f"round {number} value {each}": value, f"of {gateway}": each} for each, value in enumerate(values)]
    return [
        {"type": type_, "messageId": f"{type_} {gateway} {number} {each}", "userId": f"u{each}"}
        | {"event": f"Event {number} {each % 2}", "properties": body, "traits": body, "context": body}
        for each, body in enumerate(bodies)
        for type_ in ("track", "identify")
    ]


@pytest.mark.parametrize("clock", [SystemClock, SlowMachine], ids=["judged", "waiting"])
async def test_people_are_the_same_as_if_one_had_loaded_all(
    place: Place, open_store: OpenStore, clock: type[SystemClock]
):
    stores = await gateways(open_store, clock=clock())
    events = talk(random.Random(3), 240)
    loads = [[events[start : start + 20] for start in range(first, len(events), 40)] for first in (0, 20)]

    stored = await load_at_once(stores, loads)

    assert stored == len(events)
    for store in stores:
        await assert_right(place, store, events)


def talk(rng: random.Random, count: int) -> list[Event]:
    """Few people on few devices, who are often called alike."""
    events: list[Event] = []
    for number in range(count):
        device, user = f"d{rng.randrange(40)}", f"u{rng.randrange(60)}"
        said: Event = rng.choice(
            [
                {"type": "page", "anonymousId": device},
                {"type": "identify", "anonymousId": device, "userId": user},
                {"type": "identify", "anonymousId": device, "userId": user, "traits": {"email": f"{user}@x"}},
                {"type": "alias", "userId": user, "previousId": f"u{rng.randrange(60)}"},
            ]
        )
        moment = to_iso(from_epoch_ms(RECEIVED_AT_MS - rng.randrange(1_000_000)))
        events.append(said | {"messageId": f"m{number:03}", "timestamp": moment})
    return events


async def test_one_revises_the_graph_while_the_other_loads(place: Place, stores: list[Store]):
    events = talk(random.Random(5), 200)
    loads = [events[start : start + 20] for start in range(0, len(events), 20)]

    async def rebuild() -> None:
        for _ in range(5):
            await repeated(stores[1].warehouse.rebuild_identity)

    await asyncio.gather(load_each(stores[0], loads), rebuild())

    await stores[1].warehouse.find_person("anybody")
    await assert_right(place, stores[0], events)


async def test_links_that_wait_in_one_are_judged_once_by_the_other_who_is_asked(
    place: Place, open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
):
    loading, asked = await gateways(open_store, clock=SlowMachine())
    events = talk(random.Random(7), 60)
    clear = ServerEntries.clear

    def clear_slowly(entries: ServerEntries, table: str) -> None:
        Never().wait(0.05)
        clear(entries, table)

    monkeypatch.setattr(ServerEntries, "clear", clear_slowly)
    async with asyncio.TaskGroup() as tasks:
        loads = tasks.create_task(load_each(loading, [[event] for event in events]))
        while not loads.done():
            await repeated(partial(asked.warehouse.find_person, "u1"))

    await asked.warehouse.find_person("u1")
    await assert_right(place, asked, events)
