"""Names are the visitor's to choose, and hostile: every value is in a table's column, or in `_extra`."""

import json
from collections import Counter

import pytest

from gateway.warehouses.names import column_name, table_name
from tests.integration.warehouses.support.kept import lost
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import OpenStore, Store

WORDS = {
    "reserved": "order group user select table from where index timestamp date primary end default null true rowid oid",
    "the loader's": """
        id event source _extra properties users tracks persons person_events identities identity_merges _load claimed
        staged hashes arrived inserted context temp main public warehouse _headwater_ids _headwater_cursors
        _headwater_claims _headwater_filled _headwater_pending_links""",
    "servers'": "ctid xmin xmax cmin cmax tableoid _table_suffix _file_name _partitiontime _row_timestamp __root__",
    "odd": """€ 注文 ä ÄÖ _ __a 9 1st a.b q"uote it's back`tick \\ [x] 😀 $ -- %s {name} a;drop \u0130""",
}
BLANK = ["", " ", "\u00a0", "a b", "a\tb", "\n", "x" * 63, "x" * 64]
LONG = "a long name that goes on and on until no warehouse takes it any more, and "


async def test_ten_thousand_names_are_bounded_and_nothing_is_lost(place: Place, store: Store):
    events = [
        store.event(properties={f"key {n}": n for n in range(start, start + 100)}) for start in range(0, 10_000, 100)
    ]

    loaded = await store.load(*events)

    assert +Counter(loaded.warnings) == {"too_many_columns": 9_800}
    assert len([name for name in await place.types(store, "order_completed") if name.startswith("key_")]) == 200
    assert await lost(place, store, events) == []


async def test_the_limits_hold_and_nothing_is_lost(place: Place, open_store: OpenStore):
    store = await open_store(max_event_tables=2, max_columns=3, max_context_columns=4)
    events = [
        *(store.event(event=f"Event {name}", properties={f"{name}{n}": n for n in range(5)}) for name in "abcd"),
        store.event(event="Event a", context={f"key {n}": n for n in range(9)}),
    ]

    loaded = await store.load(*events)

    assert [name for name in "abcd" if await place.types(store, f"event_{name}")] == ["a", "b"]
    assert await store.one("select count(*) from tracks") == 5
    assert +Counter(loaded.warnings) == {"too_many_tables": 2, "too_many_columns": 2 * 2 + 7}
    assert json.loads(await store.one("select _extra from event_b")) == {"properties": {"b3": 3, "b4": 4}}
    assert len(json.loads(await store.one("select _extra from event_a where context_key_0 = 0"))["context"]) == 7


@pytest.mark.parametrize("names", [*map(str.split, WORDS.values()), BLANK], ids=[*WORDS, "blank"])
async def test_any_word_may_be_a_property_a_trait_and_an_event(place: Place, store: Store, names: list[str]):
    body = dict.fromkeys(names, "x")
    events = [
        *(store.event(event=name, properties={"n": 1}) for name in names),
        store.event(properties=body),
        *(store.event(kind, userId="u1", traits=body, context=body) for kind in ("identify", "group")),
        store.event("page", properties=body, context={"a": body}),
    ]

    for some in (events[: len(names) + 1], events[len(names) + 1 :]):
        await store.load(*some)

    assert await lost(place, store, events) == []
    assert await store.one("select count(*) from tracks") == len(names) + 1
    for name in filter(None, {table_name(name) for name in names}):
        assert await store.one(f"select count(*) from {place.kind.quoted(name)} where n = 1") > 0
    assert await store.one("select count(*) from users") == 1
    [(person_id,)] = await store.rows("select person_id from persons")
    exported = await store.warehouse.export_person(person_id)
    person = await store.warehouse.find_person("u1")
    assert person is not None
    removed = await store.warehouse.forget(person)
    tables = {table_name(name) for name in names} - {""} | {
        "tracks",
        "pages",
        "identifies",
        "groups",
        "order_completed",
    }
    assert exported["rows"].keys() == tables
    assert removed.items() >= {name: len(rows) for name, rows in exported["rows"].items()}.items()
    assert await store.one("select count(*) from person_events") == 0


async def test_names_that_become_one_share_a_column_or_are_in_extra(place: Place, store: Store):
    spellings = ["userName", "user_name", "User Name", "USER NAME", "username", "Username", "user-name", "user.name"]
    events = [
        store.event(properties={spelling: number for number, spelling in enumerate(spellings)}),
        *(store.event(properties={spelling: number}) for number, spelling in enumerate(spellings)),
        store.event(properties={"user": {"name": 1}, "user_name": 2}),
        *(store.event(event=spelling) for spelling in spellings),
    ]

    await store.load(*events[:3])
    await store.load(*events[3:])

    assert await lost(place, store, events) == []
    assert await store.one("select count(*) from user_name") == 6
    assert await store.one("select count(*) from username") == 2


async def test_names_that_are_cut_alike_stay_apart(place: Place, store: Store):
    names = [f"{LONG}{end}" for end in ("ends", "ends so", "Ends", "é", "ë")]
    events = [store.event(properties=dict.fromkeys(names, "x"))]
    events += [store.event(event=name, properties={"n": number}) for number, name in enumerate(names)]

    await store.load(*events)

    assert await lost(place, store, events) == []
    columns = {column_name((name,)) for name in names}
    assert columns <= (await place.types(store, "order_completed")).keys()
    assert len(columns) == 5
    assert {len(name) for name in columns} == {63}
    tables = [place.kind.quoted(table_name(name)) for name in names]
    assert [await store.one(f"select n from {table}") for table in tables] == [0, 1, 2, 3, 4]


async def test_a_property_never_hides_a_column_of_the_loader(store: Store):
    await store.load(store.event(properties={"id": "p1", "event": "x", "timestamp": "y", "source": 5}))

    assert await store.rows("select id, _id, event, _event, _timestamp, source, _source from order_completed") == [
        ("m0", "p1", "order_completed", "x", "y", "web", 5)
    ]


async def test_events_of_one_name_in_several_spellings_share_a_table(store: Store):
    await store.load(store.event(), store.event(event="order_completed"), store.event(event="orderCompleted"))

    assert await store.one("select count(*) from order_completed") == 3
    assert await store.one("select count(distinct event_text) from tracks where event = 'order_completed'") == 3


async def test_an_event_without_letters_is_in_tracks_alone(store: Store):
    loaded = await store.load(store.event(event="注文"))

    assert await store.rows("select event, event_text from tracks") == [(None, "注文")]
    assert sum(loaded.warnings.values()) == 0
