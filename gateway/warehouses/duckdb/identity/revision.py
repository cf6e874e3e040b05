"""What the owner does to the graph: undo a link, compute everything anew, forget a person. Each in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import duckdb

from gateway.identity import Claim, Evidence, Guards, Link, Rules, resolve
from gateway.identity.evidence import pair_of
from gateway.identity.naming import person_id_of
from gateway.model.errors import WarehouseError
from gateway.model.person import ANONYMOUS_ID, Identifier, Known
from gateway.warehouses.duckdb.identity.entries import graph_of
from gateway.warehouses.duckdb.identity.people import gather, persons_of
from gateway.warehouses.duckdb.statements import in_file
from gateway.warehouses.identity.evidence import GROUP, normalised
from gateway.warehouses.identity.rows import CLAIM, EDGE, claim_of, identifier_columns, link_of
from gateway.warehouses.identity.tables import CLAIMS, FROZEN, LINKS, PLACES, RECORDS, TENURES, UNDONE
from gateway.warehouses.shaping.arrivals import rows_of

EDGES_AT_ONCE = 20_000
SHOWN = 20
"""Differences that a rebuild tells; it counts all."""
UNBOUNDED = 2**62


def unmerge(connection: duckdb.DuckDBPyConnection, rules: Rules, left: str, right: str, now_us: int) -> tuple[str, str]:
    """Take back the link between two identifiers, for good; the persons that they are afterwards.

    Raises WarehouseError when nothing links them directly, or that was taken back already.
    """
    written = product(dict.fromkeys((left, normalised(left))), dict.fromkeys((right, normalised(right))))
    edges = next(filter(None, (list(_edges_between(connection, *ends)) for ends in written)), [])
    if not edges:
        raise WarehouseError(
            f"no event links {left} and {right} to each other directly",
            hint=f"`headwater person {left}` shows what is linked",
        )
    pairs = {pair_of(edge) for edge in edges} - graph_of(connection).undone()
    if not pairs:
        raise WarehouseError(
            f"the link between {left} and {right} was taken back before",
            hint="it stays so, whatever events say; nothing is to be done",
        )
    first, second = edges[0].identifiers
    if left not in (first.value, normalised(first.value)):
        first, second = second, first
    for pair in pairs:
        ends = [part for identifier in sorted(pair) for part in identifier]
        connection.execute(f"insert into {UNDONE} values (?, ?, ?, ?, make_timestamptz(?))", [*ends, now_us])
    persons = {place.person_id for place in graph_of(connection).placements([first, second])}
    _judge_anew(connection, rules, persons, now_us)
    places = {place.identifier: place.person_id for place in graph_of(connection).placements([first, second])}
    now_first, now_second = (places.get(each, person_id_of(each)) for each in (first, second))
    connection.execute(
        f"insert into {RECORDS} values ('unmerge', ?, ?, ?, ?, make_timestamptz(?), make_timestamptz(?))",
        [now_first, now_second, edges[0].cause, edges[0].at.message_id, edges[0].at.us, now_us],
    )
    return now_first, now_second


def rebuild(connection: duckdb.DuckDBPyConnection, rules: Rules, now_us: int) -> dict[str, Any]:
    """Compute all from the edges, in the order of their events; the differences to what was.

    What guards had refused is judged anew, by the time of the events instead of that of their arrival.
    """
    connection.execute(f"create or replace temp table places_before as from {PLACES}")
    connection.execute(f"create or replace temp table spans_before as from {TENURES}")
    _put_aside(connection)
    edges, guards = 0, Guards(rules.max_links_an_hour)
    for evidence in _replayed(connection):
        edges += len(evidence.claims) + len(evidence.links)
        changes = resolve(evidence, graph := graph_of(connection), rules, guards, None)
        changes.records.clear()
        graph.write(changes, now_us)
    found = list(_differences(connection))
    for table in ("places_before", "spans_before", "claims_aside", "links_aside"):
        connection.execute(f"drop table temp.{table}")
    return {"edges": edges, "differences": len(found), "examples": found[:SHOWN]}


def forget(
    connection: duckdb.DuckDBPyConnection, rules: Rules, person: Known, tables: Iterable[str], now_us: int
) -> dict[str, int]:
    """Remove the person's rows from `tables`, and the person from the graph; rows removed by table.

    A device that others have used as well stays theirs, and may give its name to one of them: so the person's id
    alone, which is made from the oldest identifier, finds nobody here.
    """
    people = persons_of(connection, person)
    gather(connection, person, people)
    removed = {
        table: _count(
            connection, f"delete from {in_file(table)} where (id, source) in (select (id, source) from temp.gathered)"
        )
        for table in tables
    }
    removed |= forget_in_graph(connection, rules, person, people, now_us)
    return {table: rows for table, rows in removed.items() if rows}


def forget_in_graph(
    connection: duckdb.DuckDBPyConnection, rules: Rules, person: Known, people: set[str], now_us: int
) -> dict[str, int]:
    """The graph's part of it; `people` is where the person's identifiers stand. Rows removed by table."""
    removed: dict[str, int] = {}
    own = list(person.identifiers)
    own += [place.identifier for place in graph_of(connection).members(people) if place.owner is None]
    devices = {tenure.anonymous_id for tenure in person.tenures} | _devices_of(connection, set(own))
    _take_out(connection, people, devices)
    connection.register("own", rows_of(identifier_columns(own)))
    mine = "(select (kind, value) from own)"
    connection.register("devices", rows_of({"value": sorted(devices) or [""]}))
    removed[CLAIMS] = _count(connection, f"delete from {CLAIMS} where (claimant_type, claimant) in {mine}")
    removed[LINKS] = _count(
        connection,
        f"delete from {LINKS} where (left_type, left_value) in {mine} or (right_type, right_value) in {mine}",
    )
    named = "select value from people union all select value from own union all select value from devices"
    removed[RECORDS] = _count(connection, f"delete from {RECORDS} where person_id in ({named}) or other in ({named})")
    connection.execute(f"delete from {FROZEN} where (identifier_type, identifier) in {mine}")
    connection.execute(
        f"delete from {UNDONE} where (left_type, left_value) in {mine} or (right_type, right_value) in {mine}"
    )
    _give_back(connection, rules, devices, [], now_us)
    return removed


# --- parts


def _edges_between(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> Iterator[Claim | Link]:
    ends = {"a": left, "b": right}
    for row in connection.execute(
        f"select {', '.join(EDGE)} from {LINKS} where cause <> '{GROUP}'"
        " and ((left_value = $a and right_value = $b) or (left_value = $b and right_value = $a)) order by us",
        ends,
    ).fetchall():
        yield link_of(row)
    for row in connection.execute(
        f"select {', '.join(CLAIM)} from {CLAIMS}"
        " where (claimant = $a and anonymous_id = $b) or (claimant = $b and anonymous_id = $a) order by us",
        ends,
    ).fetchall():
        yield claim_of(row)


def _judge_anew(connection: duckdb.DuckDBPyConnection, rules: Rules, persons: set[str], now_us: int) -> None:
    """Take these persons out of the graph and put them in again, by all that is said of them."""
    members = [place.identifier for place in graph_of(connection).members(persons) if place.owner is None]
    links: dict[Link, str] = {}
    ahead, seen = set(members), set[Identifier]()
    while ahead:
        seen |= ahead
        found = dict(graph_of(connection).links(ahead))
        links |= found
        ahead = {each for link in found for each in link.identifiers} - seen
    around = {place.person_id for place in graph_of(connection).placements(seen)} | persons
    devices = _devices_of(connection, seen | set(members))
    _take_out(connection, around, devices)
    for link in links:
        connection.execute(
            f"delete from {LINKS} where message_id = ? and us = ? and left_value = ? and right_value = ? and cause = ?",
            [link.at.message_id, link.at.us, link.left.value, link.right.value, link.cause],
        )
    _give_back(connection, rules, devices, list(links), now_us)


def _devices_of(connection: duckdb.DuckDBPyConnection, identifiers: set[Identifier]) -> set[str]:
    """Every device that one of these has claimed."""
    connection.register("claimants", rows_of(identifier_columns(list(identifiers))))
    claimed = f"select distinct anonymous_id from {CLAIMS}"
    mine = "(claimant_type, claimant) in (select (kind, value) from claimants)"
    rows = connection.execute(f"{claimed} where {mine}").fetchall() if identifiers else []
    return {device for (device,) in rows}


def _take_out(connection: duckdb.DuckDBPyConnection, persons: set[str], devices: set[str]) -> None:
    """The places of these persons, and the places and stretches of these devices."""
    connection.register("people", rows_of({"value": sorted(persons) or [""]}))
    connection.register("devices", rows_of({"value": sorted(devices) or [""]}))
    is_device = f"identifier_type = '{ANONYMOUS_ID}' and identifier in (select value from devices)"
    connection.execute(f"delete from {PLACES} where person_id in (select value from people) or ({is_device})")
    connection.execute(
        f"delete from {TENURES} where person_id in (select value from people)"
        " or anonymous_id in (select value from devices)"
    )


def _give_back(
    connection: duckdb.DuckDBPyConnection, rules: Rules, devices: set[str], links: Sequence[Link], now_us: int
) -> None:
    """Judge what is left of these devices' claims, and the links, as if they came now; no guard refuses them."""
    graph = graph_of(connection)
    claims = list(graph.claims(devices)) if devices else []
    connection.register("devices", rows_of({"value": sorted(devices) or [""]}))
    connection.execute(f"delete from {CLAIMS} where refused is null and anonymous_id in (select value from devices)")
    if claims or links:
        lifted = replace(rules, max_identifiers=UNBOUNDED, max_merges=UNBOUNDED)
        changes = resolve(Evidence(claims, links), graph, lifted, Guards(UNBOUNDED), now_us)
        changes.records.clear()
        graph.write(changes, now_us)


def _put_aside(connection: duckdb.DuckDBPyConnection) -> None:
    for table, aside, columns in ((CLAIMS, "claims_aside", CLAIM), (LINKS, "links_aside", EDGE)):
        connection.execute(
            f"create or replace temp table {aside} as"
            f" select {', '.join(columns)} from {table} where cause <> '{GROUP}' order by us"
        )
        connection.execute(f"delete from {table} where cause <> '{GROUP}'")
    for table in (PLACES, TENURES, FROZEN):
        connection.execute(f"delete from {table}")


def _replayed(connection: duckdb.DuckDBPyConnection) -> Iterator[Evidence]:
    """The edges that were put aside, oldest first, claims and links of the same stretch of time together."""
    cut = (
        f"select max(us) from (select us from claims_aside where us > $us order by us limit {EDGES_AT_ONCE})",
        f"select max(us) from (select us from links_aside where us > $us order by us limit {EDGES_AT_ONCE})",
    )
    reached = -UNBOUNDED
    while True:
        ends = [connection.execute(query, {"us": reached}).fetchall()[0][0] for query in cut]
        if all(end is None for end in ends):
            return
        span = {"after": reached, "to": min(end for end in ends if end is not None)}
        claims = connection.execute(
            f"select {', '.join(CLAIM)} from claims_aside where us > $after and us <= $to", span
        )
        claim_rows = claims.fetchall()
        links = connection.execute(f"select {', '.join(EDGE)} from links_aside where us > $after and us <= $to", span)
        yield Evidence([claim_of(row) for row in claim_rows], [link_of(row) for row in links.fetchall()])
        reached = span["to"]


def _differences(connection: duckdb.DuckDBPyConnection) -> Iterator[dict[str, Any]]:
    place = "identifier_type, identifier, person_id"
    span = "anonymous_id, owner_type, owner, person_id, from_us, to_us"
    for what, columns, before, now in (
        ("identities", place, "temp.places_before", PLACES),
        ("identity_spans", span, "temp.spans_before", TENURES),
    ):
        for word, one, other in (("before", before, now), ("now", now, before)):
            query = f"select {columns} from {one} except select {columns} from {other} order by all"
            for row in connection.execute(query).fetchall():
                yield {"table": what, "only": word, "row": dict(zip(columns.split(", "), row, strict=True))}


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    ((count,),) = connection.execute(statement).fetchall()
    return int(count)
