"""Odd values and types that differ: every value of every event is in its column or in `_extra`."""

import json
from collections import Counter
from itertools import chain
from typing import Any

import pytest

from gateway.collect.lenient import clean, dump, load
from gateway.warehouses.values import ColumnType
from tests.integration.warehouses.support.kept import exactly, lost
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Event, Store

DEEP: Any = {"a": {"b": {"c": {"d": {"e": {"f": [1]}}, "g": 1}}}}
ODD: dict[str, tuple[Any, ...]] = {
    "an integer, then a number": (1, 1.5, 2**53 + 1, -7),
    "a number, then texts": (1.5, "x", "1.5", ""),
    "a number, then integers": (0.5, 7, 2**53, 2**53 + 1, -(2**63)),
    "a text, then others": ("x", {"a": 1}, [1, {"b": None}], 5, True, 1.5),
    "an object, then others": ({"a": 1}, "x", 3, [1], {"a": {"b": 2}}, {"A": 1}),
    "a boolean, then others": (True, 0, 1, "true", False, 2.5),
    "a boolean, then a number": (False, 1.0),
    "a list, then others": (["x"], [], "x", 1, {"a": 1}, [[[]]]),
    "a time, then others": ("2026-11-25T12:00:00Z", "tomorrow", 5, "2026-11-25", "2026-11-25T12:00:00.123456+02:00"),
    "nothing, then a text": (None, "x", None),
    "integers to the last": (2**63 - 1, -(2**63), 2**63, 2**64 - 1, 2**64, 10**30, -(10**400)),
    "integers beyond from the first": (2**64, 1, "x", 10**20),
    "numbers to the last": (1e300, 5e-324, 1.7976931348623157e308, 0.1, -0.0, 123456789.123456789),
    "texts like numbers": ("NaN", "nan", "Infinity", "-Infinity", "inf", "1e5", "0x10", "007", "null", "true", "\\N"),
    "times at the edges": (
        "2026-11-25T12:00:00Z",
        *("0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z", "9998-12-30T23:59:59.999999Z", "9999-12-31T23:59:59Z"),
        *("0001-06-01T00:00:00+14:00", "1969-12-31T23:59:59.999Z", "1582-10-10T00:00:00Z", "2026-02-30T00:00:00Z"),
    ),
    "texts that quote": ("'", '"', "\\", "\\'", "a,b", "a\nb\r\nc\td", "$1", "%s", "{}", "--", "\ufeff", "\u2028"),
    "texts in other scripts": ("ÄÖÜ", "注文", "👩‍👩‍👧", "\u200f", "e\u0301", "\U0010ffff", "\x7f", "\x1f"),
    "long texts": ("x" * 32_768, "é" * 16_384, "'" * 32_768, "\n" * 1_000),
    "deep objects": (DEEP, {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": {"d": 1}}}}, {"a": []}),
    "lists": ([], [1, "x", None, True, 1.5, 2**64], [{"a": [{"b": []}]}], ["x" * 10_000]),
    "empty objects": ({}, {"a": {}}, {"a": {"b": {}}}, {"a": [{}]}),
}
"""By what they are: values of the same property, each in the load after the one before."""


def sized(case: str, number: int, value: Any, **fields: Any) -> Event:
    return {"type": "track", "event": case, "messageId": f"{case} {number}", "properties": {"value": value}} | fields


def raw(event: Event) -> bytes:
    """As a client may write it: orjson takes no integer beyond 64 bits."""
    return json.dumps(event).encode()


@pytest.mark.parametrize("is_together", [False, True], ids=["one after the other", "in one load"])
async def test_every_odd_value_is_found_again(place: Place, store: Store, is_together: bool):
    events = [
        [sized(case, number, values[number]) for case, values in ODD.items() if number < len(values)]
        for number in range(max(map(len, ODD.values())))
    ]

    for some in [list(chain(*events))] if is_together else events:
        loaded = await store.load(*map(raw, some))
        assert loaded.rows == len(some)

    assert await lost(place, store, list(chain(*events))) == []


@pytest.mark.parametrize("type_", ["identify", "group", "page"])
async def test_so_is_every_odd_trait_and_context(place: Place, store: Store, type_: str):
    section = "properties" if type_ == "page" else "traits"
    events = [
        {"type": type_, "messageId": f"m{number}", "userId": "u1"}
        | {part: {case: values[number] for case, values in ODD.items() if number < len(values)}}
        for number in range(max(map(len, ODD.values())))
        for part in (section, "context")
    ]
    for number, event in enumerate(events):
        event["messageId"] = f"m{number}"

    for some in (events[:2], events[2:]):
        await store.load(*map(raw, some))

    assert await lost(place, store, events) == []


async def test_the_first_value_decides_the_type(place: Place, store: Store):
    firsts = {"flag": True, "whole": 1, "part": 1.5, "when": "2026-11-25T12:00:00Z", "word": "x", "list": [1]}

    await store.load(store.event(properties=firsts))
    await store.load(store.event(properties=dict.fromkeys(firsts, "another text")))

    types = await place.types(store, "order_completed")
    assert [types[name] for name in firsts] == [
        ColumnType.BOOLEAN,
        ColumnType.INTEGER,
        ColumnType.NUMBER,
        ColumnType.MOMENT,
        ColumnType.TEXT,
        ColumnType.JSON,
    ]
    assert await store.one("select count(*) from order_completed where word = 'another text'") == 1


async def test_a_number_makes_an_integers_column_wider_where_the_server_can(place: Place, store: Store):
    await store.load(store.event(properties={"n": 1}, context={"n": 1}))
    await store.load(store.event(properties={"n": 1.5}, context={"n": 2.5}))

    rows = await store.rows("select n, context_n from order_completed order by id")
    extra = await store.one("select _extra from order_completed where id = 'm1'")
    if place.kind.can_widen:
        assert (rows, extra) == ([(1.0, 1.0), (1.5, 2.5)], None)
    else:
        assert (rows, json.loads(extra)) == ([(1, 1), (None, None)], {"properties": {"n": 1.5}, "context": {"n": 2.5}})


async def test_what_does_not_fit_is_counted(place: Place, store: Store):
    await store.load(store.event(properties={"paid": True, "total": 1.5}))

    loaded = await store.load(store.event(properties={"paid": "yes", "total": "much", "€": 1}))

    assert +Counter(loaded.warnings) == {"type": 2, "name": 1}
    extra = await store.one("select _extra from order_completed where id = 'm1'")
    assert json.loads(extra) == {"properties": {"paid": "yes", "total": "much", "€": 1}}


async def test_a_text_that_is_no_time_is_in_extra_of_the_events_own_table(place: Place, store: Store):
    await store.load(store.event(properties={"due": "2025-11-25T05:00:00Z"}))
    await store.load(
        store.event(properties={"due": "tomorrow"}), store.event(properties={"due": "2025-11-26T05:00:00Z"})
    )

    rows = await store.rows("select due, _extra from order_completed order by id")
    assert [due and due.isoformat() for due, _ in rows] == [
        "2025-11-25T05:00:00+00:00",
        None,
        "2025-11-26T05:00:00+00:00",
    ]
    assert [extra and json.loads(extra) for _, extra in rows] == [None, {"properties": {"due": "tomorrow"}}, None]


async def test_numbers_beyond_all_are_kept_as_they_were_written(store: Store):
    numbers = ["1e400", "-1.5e400", "9" * 30_000]
    body = '{"type":"track","event":"A","messageId":"m%s","properties":%s,"context":%s}'
    said = [f'{{"n":{number},"list":[{number}]}}' for number in numbers]

    await store.load(*((body % (number, text, text)).encode() for number, text in enumerate(said)))

    rows = await store.rows("select properties, _extra from tracks order by id")
    assert [exactly(properties) for properties, _ in rows] == [exactly(text) for text in said]
    assert [exactly(extra)["context"]["n"] for _, extra in rows] == [exactly(number) for number in numbers]


async def test_what_intake_makes_of_unicode_that_is_none_is_stored(place: Place, store: Store):
    body = rb'{"type":"track","event":"A\u0000b","messageId":"m1","userId":"u\ud800",'
    body += rb'"properties":{"a\u0000":"x\u0000y","b":"\udc00\ud83d\ude00","\ud800":1,"list":["\u0000"]}}'
    accepted, _ = clean(load(body)[0])

    await store.load(dump(accepted))

    assert await lost(place, store, [json.loads(dump(accepted))]) == []
    assert await store.rows("select user_id, event_text from tracks") == [("u\ufffd", "Ab")]
