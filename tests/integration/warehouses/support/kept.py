"""Whether what was sent is found again: each value in its column, in the column's type, or in `_extra`."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, NamedTuple

from gateway.model.event import parse_time
from gateway.warehouses.names import TABLES_OF_TYPE, column_name, literal
from gateway.warehouses.values import ColumnType, leaves
from tests.integration.warehouses.support.places.place import Place
from tests.integration.warehouses.support.store import Event, Store

EXACT = Context(prec=40_000)
Row = Mapping[str, Any]


class Lost(NamedTuple):
    """A value that is nowhere; `stored` is what its column has."""

    table: str
    path: tuple[str, ...]
    sent: Any
    stored: Any


async def lost(place: Place, store: Store, events: Sequence[Event]) -> list[Lost]:
    """What is missing of these events, which were stored: each has an id that no other has."""
    bodies = defaultdict[str, dict[str, Event]](dict)
    ids = [event["messageId"] for event in events if event["type"] == "track"]
    tracks = await rows_by_id(place, store, "tracks", ids) if ids else {}
    found = []
    for event in events:
        id_, table = event["messageId"], TABLES_OF_TYPE[event["type"]]
        if event["type"] == "track":
            properties, sent = tracks[id_]["properties"], event.get("properties")
            if properties != sent and not is_same_json(properties, sent):
                found.append(Lost("tracks", ("properties",), sent, properties))
            table = tracks[id_]["event"]
        if table is not None:
            bodies[table][id_] = event
    for table, of_table in bodies.items():
        types = await place.types(store, table)
        stored = await rows_by_id(place, store, table, list(of_table))
        for id_, event in of_table.items():
            found += [Lost(table, *missing) for missing in _missing(event, stored[id_], types)]
    return found


async def rows_by_id(place: Place, store: Store, table: str, ids: Sequence[str]) -> dict[str, Row]:
    """Whole rows, their columns in lower case. Every row that was asked for is there once."""
    listed = ", ".join(map(literal, ids))
    answer = await store.warehouse.query(f"select * from {place.kind.quoted(table)} where id in ({listed})", 10_000, 60)
    names = [name.lower() for name in answer.columns]
    rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
    assert sorted(row["id"] for row in rows) == sorted(ids)
    return {row["id"]: row for row in rows}


def is_same_json(stored: str | None, sent: Any) -> bool:
    """Whether two texts of JSON are the same but for the order of keys and the writing of numbers."""
    return stored is not None and exactly(stored) == exactly(json.dumps(sent))


def _missing(event: Event, row: Row, types: Mapping[str, ColumnType]) -> Iterator[tuple[Any, Any, Any]]:
    section = "traits" if event["type"] in ("identify", "group") else "properties"
    body = {} if event["type"] == "alias" else event.get(section) or {}
    extra = json.loads(row["_extra"] or "{}", parse_int=_number, parse_float=_number)
    for name, value, prefix in ((section, body, ""), ("context", event.get("context") or {}, "context_")):
        aside = dict(leaves(extra.get(name, {})))
        for path, leaf in leaves(value):
            column = column_name(path, prefix)
            if leaf is None or (path in aside and aside[path] == exactly(json.dumps(leaf))):
                continue
            if column not in types or not _is_same(types[column], row[column], leaf):
                yield path, leaf, row.get(column)


def _is_same(column: ColumnType, stored: Any, sent: Any) -> bool:
    """Whether a column says what the client said, in the column's type."""
    match column:
        case ColumnType.TEXT:
            return bool(stored == sent) if isinstance(sent, str) else is_same_json(stored, sent)
        case ColumnType.JSON:
            return is_same_json(stored, sent)
        case ColumnType.MOMENT:
            return stored is not None and bool(stored == parse_time(sent))
        case ColumnType.NUMBER:
            return isinstance(stored, float) and not isinstance(sent, bool) and bool(stored == sent)
        case _:
            return type(stored) is type(sent) and bool(stored == sent)


def exactly(text: str) -> Any:
    """JSON with its numbers as they were written, but for the way of writing."""
    return json.loads(text, parse_int=_number, parse_float=_number)


def _number(text: str) -> str:
    """The same text for the same number, and for no other."""
    return f"number {EXACT.plus(Decimal(text)).normalize(EXACT)}"
