"""What is known of one person, for whoever asks: the graph's entries, the history, the events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import duckdb

from gateway.identity.evidence import device_of
from gateway.identity.naming import person_id_of
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier, Known, Tenure
from gateway.warehouses.duckdb.identity.entries import graph_of
from gateway.warehouses.duckdb.statements import LOAD, in_file
from gateway.warehouses.identity.evidence import normalised
from gateway.warehouses.identity.rows import identifier_columns
from gateway.warehouses.identity.tables import PLACES, TENURES
from gateway.warehouses.shaping.arrivals import rows_of

Rows = list[dict[str, Any]]

_FOUND = f"""
    select person_id from {PLACES} where identifier = $id or person_id = $id
        or (identifier = $normalised and identifier_type not in ('{USER_ID}', '{ANONYMOUS_ID}'))
    order by person_id <> $id, identifier_type <> '{USER_ID}', identifier_type = '{ANONYMOUS_ID}' limit 1"""
_SEEN = """
    select person_id, user_id, anonymous_id from person_events
    where person_id is not null and (user_id = $id or anonymous_id = $id or person_id = $id)
    order by user_id is null or user_id <> $id limit 1"""


def find(connection: duckdb.DuckDBPyConnection, identifier: str) -> Known | None:
    """The person with this identifier, of whatever type, or with this id; None where no event speaks of it."""
    found = connection.execute(_FOUND, {"id": identifier, "normalised": normalised(identifier)}).fetchall()
    if found:
        return known(connection, found[0][0])
    seen = connection.execute(_SEEN, {"id": identifier}).fetchall()
    return _unlinked(*seen[0]) if seen else None


def known(connection: duckdb.DuckDBPyConnection, person_id: str) -> Known:
    """What a linked person is known by."""
    members = [each.identifier for each in graph_of(connection).members([person_id])]
    stretches = connection.execute(
        f"select anonymous_id, owner_type, owner, from_us, to_us from {TENURES} where person_id = ?", [person_id]
    ).fetchall()
    return Known(
        person_id,
        frozenset(each.value for each in members if each.type == USER_ID),
        [Tenure(device, Identifier(kind, owner), from_us, to_us) for device, kind, owner, from_us, to_us in stretches],
        [each for each in members if each.type not in (USER_ID, ANONYMOUS_ID)],
    )


def _unlinked(person_id: str, user_id: str | None, anonymous_id: str | None) -> Known:
    """A person of one identifier."""
    if user_id is not None and person_id == person_id_of(Identifier(USER_ID, user_id)):
        return Known(person_id, frozenset([user_id]), [])
    assert anonymous_id is not None
    return Known(person_id, frozenset(), [Tenure(anonymous_id, Identifier(ANONYMOUS_ID, anonymous_id))])


def owners(connection: duckdb.DuckDBPyConnection, devices: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
    """Whose these devices are; those that nobody has claimed are not in the answer."""
    owned: dict[str, list[Tenure]] = {}
    connection.register("devices", rows_of({"anonymous_id": list(devices)}))
    columns = "anonymous_id, owner_type, owner, from_us, to_us"
    rows = connection.execute(f"select {columns} from {TENURES} semi join devices using (anonymous_id)").fetchall()
    for device, kind, owner, from_us, to_us in rows if devices else []:
        owned.setdefault(device, []).append(Tenure(device, Identifier(kind, owner), from_us, to_us))
    return owned


_IDENTIFIERS = "select * exclude (person_id) from identities where person_id = $1 order by linked_at"
_SPANS = """
    select * exclude (person_id) from identity_spans where person_id = $1 order by anonymous_id, "from" nulls first"""
_HISTORY = """
    select * from identity_merges where person_id = $1 or other = $1
        or other in (select identifier from identities where person_id = $1)
    order by recorded_at, timestamp"""
_TIMELINE = """
    select timestamp, type, event, source, anonymous_id, user_id, id from person_events where person_id = $1
    order by timestamp desc, id limit $2"""


def describe(connection: duckdb.DuckDBPyConnection, person: Known, max_events: int) -> dict[str, Any]:
    """Identifiers and how each was linked, stretches, links, history, latest traits, and the newest events."""
    own = [person.person_id]
    links = _about(connection, "identity_edges", person)
    return {
        "person_id": person.person_id,
        "summary": next(iter(_rows(connection, "select * from persons where person_id = $1", own)), {}),
        "identifiers": _rows(connection, _IDENTIFIERS, own),
        "spans": _rows(connection, _SPANS, own),
        "links": [link for link in links if link["refused"] is None],
        "refused": [link for link in links if link["refused"] is not None],
        "history": _rows(connection, _HISTORY, own),
        "timeline": _rows(connection, _TIMELINE, [*own, max_events]),
    }


def export(connection: duckdb.DuckDBPyConnection, person: Known, tables: Iterable[str]) -> dict[str, Any]:
    """All that is held: every row of every table, and the graph's entries."""
    document = describe(connection, person, 0)
    del document["timeline"]
    gather(connection, person, [person.person_id])
    rows = {
        table: _rows(connection, f"select t.* from {in_file(table)} t semi join gathered g using (id, source)", [])
        for table in tables
    }
    return document | {"rows": {table: found for table, found in rows.items() if found}}


def gather(connection: duckdb.DuckDBPyConnection, person: Known, person_ids: Collection[str]) -> None:
    """`temp.gathered`: id and source of the events of these persons, and of all that `person` is known by."""
    stretches = list(person.tenures) or [Tenure("", Identifier("", ""))]
    bounds: dict[str, list[Any]] = {
        "anonymous_id": [each.anonymous_id for each in stretches],
        "from_us": [-_FAR_US if each.from_us is None else each.from_us for each in stretches],
        "to_us": [_FAR_US if each.to_us is None else each.to_us for each in stretches],
    }
    connection.register("stretches", rows_of(bounds))
    connection.register("users", rows_of({"user_id": sorted(person.user_ids) or [""]}))
    connection.register("people", rows_of({"person_id": sorted(person_ids) or [""]}))
    connection.execute("""
        create or replace temp table gathered as
        select distinct id, source from person_events e where
            person_id in (from people) or user_id in (from users) or (not is_identified and exists (
                from stretches s where s.anonymous_id = e.anonymous_id
                and epoch_us(e.timestamp) >= from_us and epoch_us(e.timestamp) < to_us))""")


def persons_of(connection: duckdb.DuckDBPyConnection, person: Known) -> set[str]:
    """Where the person's users and strong identifiers stand now, whatever has been linked since."""
    return {place.person_id for place in graph_of(connection).placements(person.identifiers)}


_FAR_US = 2**62


def _about(connection: duckdb.DuckDBPyConnection, view: str, person: Known) -> Rows:
    """Edges that touch one of the person's identifiers."""
    columns = "left_type, left_value, right_type, right_value, cause, message_id, timestamp, refused"
    own = [*person.identifiers, *(device_of(tenure.anonymous_id) for tenure in person.tenures)]
    connection.register("own", rows_of(identifier_columns(own)))
    touching = "(left_type, left_value) in (from own) or (right_type, right_value) in (from own)"
    return _rows(connection, f"select {columns} from {view} where {touching} order by timestamp", [])


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> Rows:
    answer = connection.execute(sql, parameters)
    columns = [column[0] for column in answer.description or ()]
    return [
        {name: value for name, value in zip(columns, row, strict=True) if name != LOAD} for row in answer.fetchall()
    ]
