"""Who is who, in files: what is published of it, who is forgotten, and what is given out."""

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.identity.naming import person_id_of
from gateway.model.clock import ManualClock, SystemClock
from gateway.model.errors import WarehouseError
from gateway.model.person import Identifier, Known
from gateway.warehouses import Warehouse
from gateway.warehouses.duckdb.warehouse import opened
from gateway.warehouses.objects import open_store
from gateway.warehouses.parquet import open_parquet
from gateway.warehouses.parquet.warehouse import parquet_warehouse
from tests.integration.warehouses.parquet.conftest import NewSettings, ReadBack
from tests.integration.warehouses.support.broken import Breaking
from tests.integration.warehouses.support.published import Published
from tests.integration.warehouses.support.store import Event, Store

PAGE = Path(__file__).parents[4] / "docs/warehouses/parquet.md"
EVE = person_id_of(Identifier("user_id", "eve"))


def tablet(store: Store) -> list[Event]:
    """Ann's tablet, which she lends to Bob; Eve's orders come from a server."""
    said: list[tuple[str, dict[str, Any]]] = [
        ("page", {"name": "Home"}),
        ("identify", {"userId": "ann", "traits": {"email": "ann@shop.example"}}),
        ("track", {"properties": {"total": 9}}),
        ("identify", {"userId": "bob"}),
        ("track", {"properties": {"total": 5}}),
        ("track", {"anonymousId": None, "userId": "eve", "properties": {"total": 7}}),
    ]
    return [
        store.event(kind, **{"anonymousId": "tablet", "timestamp": f"2025-11-24T0{hour}:00:00Z", **fields})
        for hour, (kind, fields) in enumerate(said)
    ]


async def loaded(warehouse: Warehouse) -> Store:
    """In two loads, so in two files of each table: before Bob has the tablet, and after it."""
    store = Store(warehouse)
    events = tablet(store)
    await store.load(*events[:3])
    await store.load(*events[3:])
    return store


async def found(warehouse: Warehouse, identifier: str) -> Known:
    person = await warehouse.find_person(identifier)
    assert person is not None
    return person


def totals(published: Published) -> list[float]:
    return sorted(total for (total,) in published.rows("select total from order_completed"))


async def test_the_documented_view_says_whose_each_event_is(settings: NewSettings, read_back: ReadBack):
    [view] = re.findall(r"^```sql\n(create view person_events.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)
        ann, bob = [(await found(warehouse, name)).person_id for name in ("ann", "bob")]

    published = read_back()
    whose = published.rows(f"{view}; select id, person_id from person_events order by id")
    assert whose == [("m0", ann), ("m1", ann), ("m2", ann), ("m3", bob), ("m4", bob), ("m5", EVE)]


async def test_the_graph_is_published_as_tables(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)

    published = read_back()
    persons = "select list_sort(list(identifier_type || ' ' || identifier)) from identities group by person_id"
    assert sorted(published.rows(persons)) == [
        (["anonymous_id tablet", "email ann@shop.example", "user_id ann"],),
        (["user_id bob"],),
    ]
    assert published.rows('select owner, "from" is null, "to" is null from identity_spans order by 1') == [
        ("ann", True, False),
        ("bob", False, True),
    ]
    assert published.rows("select count(*) from identity_edges where refused is null") == [(3,)]
    assert published.rows("select count(*) from identity_merges") == [(0,)]


async def test_the_graph_is_published_at_most_once_in_an_interval_and_in_the_end(
    settings: NewSettings, read_back: ReadBack
):
    clock = ManualClock()
    identifiers = "select count(*) from identities"
    async with open_parquet(settings(snapshot_interval=60), clock) as warehouse:
        store = Store(warehouse)
        await store.load(store.event(userId="ann"))
        assert read_back().rows(identifiers) == [(0,)]
        clock.advance(60)
        await warehouse.catch_up()
        assert read_back().rows(identifiers) == [(2,)]
        await store.load(store.event(userId="bob", anonymousId="a2"))
        await warehouse.catch_up()
        assert read_back().rows(identifiers) == [(2,)]

    assert read_back().rows(identifiers) == [(4,)]


async def test_who_is_forgotten_is_in_no_file(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)
        ann = await found(warehouse, "ann@shop.example")

        removed = await warehouse.forget(ann)

        assert {table: removed[table] for table in ("pages", "identifies", "tracks", "order_completed")} == {
            "pages": 1,
            "identifies": 1,
            "tracks": 1,
            "order_completed": 1,
        }
        assert await warehouse.forget(ann) == {}

    published = read_back()
    assert totals(published) == [5, 7]
    everything = b"".join(path.read_bytes() for path in published.folder.rglob("*.parquet"))
    assert b"ann@shop" not in everything
    assert sorted(published.rows("select distinct identifier from identities")) == [("bob",), ("tablet",)]


async def test_the_rows_of_others_in_the_same_file_stay(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(*tablet(store))
        before = read_back().paths

        removed = await warehouse.forget(await found(warehouse, "ann"))

    assert removed["tracks"] == 1
    assert totals(read_back()) == [5, 7]
    gone = {path.partition("/")[0] for path in set(before) - set(read_back().paths)}
    assert gone == {"pages"}


async def test_a_user_whom_no_link_names_is_forgotten_by_the_bare_id(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)
        removed = await warehouse.forget(Known("", frozenset(["eve"]), []))

    assert removed == {"tracks": 1, "order_completed": 1}
    assert totals(read_back()) == [5, 9]


async def test_forgetting_that_breaks_off_is_made_good_by_doing_it_again(settings: NewSettings, read_back: ReadBack):
    store = open_store(settings())
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)
        ann = await found(warehouse, "ann")
    for step in range(1, 12, 2):
        warehouse = parquet_warehouse(settings(), SystemClock(), Breaking(store, step, is_made=step % 4 == 1))
        async with opened(warehouse):
            with suppress(WarehouseError):
                await warehouse.forget(ann)

    assert totals(read_back()) == [5, 7]
    assert sorted(read_back().rows("select distinct identifier from identities")) == [("bob",), ("tablet",)]


async def test_an_export_has_the_rows_of_every_table(settings: NewSettings):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)

        document = await warehouse.export_person((await found(warehouse, "ann")).person_id)

        assert {table: [row["id"] for row in rows] for table, rows in document["rows"].items()} == {
            "identifies": ["m1"],
            "order_completed": ["m2"],
            "pages": ["m0"],
            "tracks": ["m2"],
        }
        assert document["rows"]["order_completed"][0]["total"] == 9
        assert {each["identifier"] for each in document["identifiers"]} == {"ann", "tablet", "ann@shop.example"}
        again = await warehouse.export_person((await found(warehouse, "bob")).person_id)
        assert [row["id"] for row in again["rows"]["tracks"]] == ["m4"]


async def test_what_the_owner_undoes_is_published_at_once(settings: NewSettings, read_back: ReadBack):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        store = Store(warehouse)
        await store.load(store.event("identify", userId="ann", anonymousId="d1", traits={"email": "x@shop.example"}))
        await warehouse.unmerge("ann", "x@shop.example")

        names = "select identifier from identities where identifier_type <> 'anonymous_id'"
        assert read_back().rows(names) == [("ann",)]
        assert (await warehouse.rebuild_identity())["differences"] == 0
        owners = await warehouse.owners(["d1"])
        assert [tenure.owner for tenure in owners["d1"]] == [Identifier("user_id", "ann")]


@pytest.mark.parametrize("objects", ["folder"], indirect=True)
async def test_a_folder_knows_persons_by_its_files(settings: NewSettings):
    async with open_parquet(settings(), SystemClock()) as warehouse:
        await loaded(warehouse)

        described = await warehouse.describe_person("ann", 10)

        assert described is not None
        assert [event["id"] for event in described["timeline"]] == ["m2", "m1", "m0"]
        assert (await found(warehouse, "eve")).user_ids == {"eve"}
