"""What the owner does to a server's graph: undo a link, compute everything anew, forget a person.

It is rare, so what does it for the DuckDB warehouse does it here: the graph is copied into a DuckDB of its own, changed
there, and what differs is written back, all within one transaction in which no other gateway changes the graph.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, TypeVar

import duckdb

from gateway.identity import Rules
from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import revision
from gateway.warehouses.duckdb.identity.entries import FileEntries
from gateway.warehouses.duckdb.identity.people import persons_of
from gateway.warehouses.duckdb.identity.tables import CREATE_TABLES
from gateway.warehouses.identity.entries import Entries, Row
from gateway.warehouses.identity.tables import GRAPH_TABLES, SEARCHED
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.people import People
from gateway.warehouses.servers.session import Session
from gateway.warehouses.shaping.engine import Bounds, start, translated

T = TypeVar("T")

IDS_AT_ONCE = 1_000
"""Of one statement that removes events."""


class Revision:
    """Every method is within a transaction of the session. `bounds` are those of the DuckDB that holds the copy."""

    def __init__(self, session: Session, dialect: Dialect, entries: Entries, rules: Rules, bounds: Bounds) -> None:
        self._session = session
        self._dialect = dialect
        self._entries = entries
        self._rules = rules
        self._bounds = bounds

    def unmerge(self, left: str, right: str, now_us: int) -> tuple[str, str]:
        """See duckdb/identity/revision.py."""
        return self._revise(lambda graph: revision.unmerge(graph, self._rules, left, right, now_us))

    def rebuild(self, now_us: int) -> dict[str, Any]:
        """See duckdb/identity/revision.py."""
        return self._revise(lambda graph: revision.rebuild(graph, self._rules, now_us))

    def forget(self, person: Known, tables: Iterable[str], now_us: int) -> dict[str, int]:
        """See duckdb/identity/revision.py."""

        def forget(graph: duckdb.DuckDBPyConnection) -> dict[str, int]:
            people = persons_of(graph, person)
            query = People(self._session, self._dialect, self._entries).events_of(person, people)
            removed = self._remove_events(self._session.fetch(self._dialect.sql(query)), tables)
            return removed | revision.forget_in_graph(graph, self._rules, person, people, now_us)

        removed = self._revise(forget)
        return {table: rows for table, rows in removed.items() if rows}

    def _remove_events(self, events: Sequence[Row], tables: Iterable[str]) -> dict[str, int]:
        """Rows removed by table."""
        by_source: dict[str, list[str]] = {}
        for event_id, source in events:
            by_source.setdefault(source, []).append(event_id)
        id_name, source_name = self._dialect.name("id"), self._dialect.name("source")
        theirs = [
            f"{source_name} = {self._dialect.literal(source)} and {id_name} in ({self._dialect.literals(ids)})"
            for source, all_ids in by_source.items()
            for ids in _portions(all_ids)
        ]
        return {
            table: sum(
                self._session.remove(f"delete from {self._dialect.name(table)} where {where}") for where in theirs
            )
            for table in tables
        }

    def _revise(self, change: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        self._entries.expect_changes()
        with translated(), closing(start(self._bounds)) as graph:
            for statement in CREATE_TABLES:
                graph.execute(statement)
            copy = FileEntries(graph)
            before = {table: self._entries.read(table, tuple(columns)) for table, columns in GRAPH_TABLES.items()}
            for table, rows in before.items():
                if rows:
                    copy.insert(table, _turned(GRAPH_TABLES[table], rows))
            revised = change(graph)
            for table, rows in before.items():
                self._write_back(table, rows, copy.read(table, tuple(GRAPH_TABLES[table])))
        return revised

    def _write_back(self, table: str, before: Sequence[Row], after: Sequence[Row]) -> None:
        """Rows are replaced with all that share their hash; a table without one is small, and written anew."""
        changed = set(before) ^ set(after)
        if not changed:
            return
        columns = list(GRAPH_TABLES[table])
        if table in SEARCHED:
            index = columns.index(SEARCHED[table][0])
            hashes = {row[index] for row in changed}
            self._entries.delete(table, columns[index], hashes)
            written = [row for row in after if row[index] in hashes]
        else:
            self._entries.clear(table)
            written = list(after)
        if written:
            self._entries.insert(table, _turned(columns, written))


def _turned(columns: Iterable[str], rows: Sequence[Row]) -> Mapping[str, list[Any]]:
    return {name: [row[index] for row in rows] for index, name in enumerate(columns)}


def _portions(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while portion := list(islice(rest, IDS_AT_ONCE)):
        yield portion
