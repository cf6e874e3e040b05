"""What the owner does to the graph: a link taken back, all computed anew, a person forgotten or exported."""

import pytest

from gateway.model.errors import WarehouseError
from gateway.model.person import Known
from tests.integration.warehouses.support.store import OpenStore, Store

IDENTITY = {"enabled": True, "max_links_an_hour": 3}


async def person_of(store: Store, identifier: str) -> str:
    person = await store.warehouse.find_person(identifier)
    assert person is not None
    return person.person_id


async def aliased(store: Store) -> None:
    """Two users, one device each, who were said to be one."""
    await store.load(
        store.event("identify", anonymousId="d1", userId="ann"),
        store.event("identify", anonymousId="d2", userId="bob"),
        store.event("alias", anonymousId="d2", userId="bob", previousId="ann"),
    )


async def test_an_alias_that_is_taken_back_leaves_two_persons(store: Store):
    await aliased(store)
    assert await person_of(store, "ann") == await person_of(store, "bob")

    first, second = await store.warehouse.unmerge("ann", "bob")

    assert {first, second} == {await person_of(store, "ann"), await person_of(store, "bob")}
    assert first != second
    assert await person_of(store, "d1") == await person_of(store, "ann")
    assert await person_of(store, "d2") == await person_of(store, "bob")


async def test_it_stays_taken_back_when_it_is_said_again(store: Store):
    await aliased(store)
    await store.warehouse.unmerge("ann", "bob")

    await store.load(store.event("alias", anonymousId="d2", userId="bob", previousId="ann", messageId="again"))

    said = "select distinct refused from identity_edges where message_id = 'again' and cause = 'alias'"
    assert await store.rows(said) == [("undone",)]
    assert await person_of(store, "ann") != await person_of(store, "bob")
    assert (await store.warehouse.rebuild_identity())["differences"] == 0
    assert await person_of(store, "ann") != await person_of(store, "bob")


async def test_a_device_can_be_taken_from_a_user(store: Store):
    await store.load(store.event("page", anonymousId="d1"), store.event("identify", anonymousId="d1", userId="ann"))

    await store.warehouse.unmerge("d1", "ann")

    rows = await store.rows("select type, person_id from person_events order by type")
    assert [row[1] == await person_of(store, "ann") for row in rows] == [True, False]


async def test_the_answer_is_in_the_order_of_the_question(store: Store):
    await store.load(
        store.event("identify", anonymousId="d1", userId="ann", timestamp="2025-11-24T01:00:00Z"),
        store.event("identify", anonymousId="d1", userId="bob", timestamp="2025-11-24T02:00:00Z"),
    )

    device, bob = await store.warehouse.unmerge("d1", "bob")

    assert device == await person_of(store, "ann")
    assert bob == await person_of(store, "bob") != device


async def test_a_link_is_taken_back_once(store: Store):
    await aliased(store)
    await store.warehouse.unmerge("ann", "bob")

    with pytest.raises(WarehouseError, match="was taken back before"):
        await store.warehouse.unmerge("bob", "ann")

    assert await store.one("select count(*) from identity_merges where kind = 'unmerge'") == 1


async def test_an_address_is_found_however_it_is_written(store: Store):
    await store.load(store.event("identify", anonymousId="d1", userId="Ann", traits={"email": " Ann@Shop.example "}))

    assert await person_of(store, "ANN@shop.example ") == await person_of(store, "Ann")
    assert await store.warehouse.find_person("ANN") is None
    apart = await store.warehouse.unmerge("Ann", "Ann@shop.example")
    assert len(set(apart)) == 2


async def test_who_was_refused_is_told_why(store: Store):
    await aliased(store)
    await store.warehouse.unmerge("bob", "d2")

    described = await store.warehouse.describe_person("d2", 10)

    assert described is not None
    assert {each["refused"] for each in described["refused"]} == {"undone"}


async def test_one_whom_nobody_knows_takes_nothing_along(store: Store):
    await aliased(store)
    await store.warehouse.unmerge("bob", "d2")

    assert await store.warehouse.forget(Known("", frozenset(["stranger"]), [])) == {}


async def test_what_no_event_links_cannot_be_taken_back(store: Store):
    await aliased(store)

    with pytest.raises(WarehouseError, match="no event links d1 and bob"):
        await store.warehouse.unmerge("d1", "bob")


async def test_a_rebuild_lifts_what_a_guard_refused_and_time_allows(open_store: OpenStore):
    store = await open_store(identity=IDENTITY)
    hours = [f"2025-11-24T{hour:02}:00:00Z" for hour in range(6)]
    loaded = await store.load(
        *(store.event("identify", anonymousId=f"d{n}", userId="ann", timestamp=hour) for n, hour in enumerate(hours))
    )
    assert loaded.identity["frozen"] == 3
    assert await store.one("select count(*) from identity_spans where owner = 'ann'") == 3

    rebuilt = await store.warehouse.rebuild_identity()

    assert rebuilt["edges"] == 6
    assert rebuilt["differences"] > 0
    assert await store.one("select count(*) from identity_spans where owner = 'ann'") == 6
    assert await store.one("select count(*) from identity_frozen") == 0
    assert (await store.warehouse.rebuild_identity())["differences"] == 0


async def test_a_forgotten_person_is_in_no_table_and_others_are_untouched(store: Store):
    ann = {"userId": "ann", "traits": {"email": "ann@shop.example"}}
    said = [("page", {}), ("identify", ann), ("identify", {"userId": "bob"}), ("page", {})]
    await store.load(
        *(
            store.event(kind, anonymousId="d1", timestamp=f"2025-11-24T0{hour}:00:00Z", **fields)
            for hour, (kind, fields) in enumerate(said)
        )
    )
    person = await store.warehouse.find_person("ann@shop.example")
    assert person is not None

    removed = await store.warehouse.forget(person)

    assert removed["pages"] == 1
    assert removed["identifies"] == 1
    assert await store.warehouse.find_person("ann") is None
    rows = await store.rows("select type, person_id from person_events order by type")
    assert rows == [(kind, await person_of(store, "bob")) for kind in ("identify", "page")]
    assert await store.rows("select owner from identity_spans") == [("bob",)]
    assert await store.warehouse.forget(person) == {}


async def test_an_export_has_the_rows_of_every_table(store: Store):
    await aliased(store)
    await store.load(store.event("track", anonymousId="d1", event="Order Completed", properties={"total": 9}))

    document = await store.warehouse.export_person(await person_of(store, "bob"))

    assert {table: len(rows) for table, rows in document["rows"].items()} == {
        "identifies": 2,
        "aliases": 1,
        "tracks": 1,
        "order_completed": 1,
    }
    assert {each["identifier"] for each in document["identifiers"]} == {"ann", "bob", "d1", "d2"}
