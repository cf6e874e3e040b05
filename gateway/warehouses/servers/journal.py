"""The graph on a server without transactions: what a load changes in it is collected, told in a journal, then done.

The rows of the graph's tables are not changed there: a later version of a row, or of its absence, takes its place. What
the journal tells can therefore be done again by whoever finds it, and the graph is never left half changed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.warehouses.identity.entries import Entries, Row
from gateway.warehouses.identity.tables import GRAPH_TABLES
from gateway.warehouses.servers import cursors
from gateway.warehouses.servers.ddl import JOURNAL, JOURNAL_COLUMNS, MARKS
from gateway.warehouses.servers.entries import ServerEntries
from gateway.warehouses.values import ColumnType

VERSION = "the graph"
"""The log whose offset is the version of the graph: nothing of a higher one was decided upon."""


@contextmanager
def changing(entries: ServerEntries) -> Iterator[Entries]:
    """The graph's rows for whoever changes them, within a transaction of the session: all or nothing, everywhere."""
    if entries.dialect.is_transactional:
        yield entries
        return
    journal = Journal(entries)
    yield journal
    journal.commit()


@dataclass(slots=True)
class _Changes:
    """Rows of one table."""

    gone: dict[Row, None] = field(default_factory=dict)
    new: dict[Row, None] = field(default_factory=dict)

    def remove(self, row: Row) -> None:
        self.new.pop(row, None)
        self.gone[row] = None

    def add(self, row: Row) -> None:
        self.gone.pop(row, None)
        self.new[row] = None

    def over(self, stored: Sequence[Row]) -> dict[Row, None]:
        """Stored rows as they are after this, without what is new."""
        return {row: None for row in stored if row not in self.gone}


class Journal:
    """An `Entries` whose changes are stored by `commit`, all together."""

    def __init__(self, entries: ServerEntries) -> None:
        self._entries = entries
        self._session, self._dialect, self._packing = entries.session, entries.dialect, entries.packing
        self._changes: dict[str, _Changes] = {table: _Changes() for table in GRAPH_TABLES}

    def find(self, table: str, column: str, hashes: Collection[int], columns: Sequence[str]) -> list[Row]:
        """See Entries."""
        return _project(table, self._found(table, column, hashes), columns)

    def read(self, table: str, columns: Sequence[str]) -> list[Row]:
        """See Entries."""
        return _project(table, self._all(table), columns)

    def count(self, table: str) -> int:
        """See Entries."""
        changes = self._changes[table]
        return len(self._all(table)) if changes.gone or changes.new else self._entries.count(table)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """See Entries."""
        for row in zip(*(columns[name] for name in GRAPH_TABLES[table]), strict=True):
            self._changes[table].add(row)

    def delete(self, table: str, column: str, hashes: Collection[int]) -> None:
        """See Entries."""
        for row in self._found(table, column, hashes):
            self._changes[table].remove(row)

    def clear(self, table: str) -> None:
        """See Entries."""
        for row in self._all(table):
            self._changes[table].remove(row)

    def lock(self) -> None:
        """See Entries."""
        self._entries.lock()

    def expect_changes(self) -> None:
        """See Entries."""
        self._entries.expect_changes()
        self._finish()

    def commit(self) -> None:
        """Store what has changed. Rows for one table are stored at once or not at all, and need no journal."""
        changes = {table: each for table, each in self._changes.items() if each.gone or each.new}
        if not changes:
            return
        self._finish()
        version = self._version() + 1
        is_told = len(changes) > 1 or any(each.gone for each in changes.values())
        if is_told:
            self._append(JOURNAL, JOURNAL_COLUMNS, _told(version, changes))
        cursors.advance(self._session, self._dialect, VERSION, version)
        self._apply(version, changes)
        if is_told:
            self._clear()

    # --- parts

    def _found(self, table: str, column: str, hashes: Collection[int]) -> dict[Row, None]:
        names = tuple(GRAPH_TABLES[table])
        index, asked, changes = names.index(column), set(hashes), self._changes[table]
        stored = changes.over(self._entries.find(table, column, hashes, names))
        return stored | {row: None for row in changes.new if row[index] in asked}

    def _all(self, table: str) -> dict[Row, None]:
        changes = self._changes[table]
        return changes.over(self._entries.read(table, tuple(GRAPH_TABLES[table]))) | changes.new

    def _version(self) -> int:
        return cursors.next_offset(self._session, self._dialect, VERSION) or 0

    def _finish(self) -> None:
        """Do what a journal tells that somebody left; a journal beyond the version was not written to its end."""
        columns, journal = self._dialect.names(tuple(JOURNAL_COLUMNS)), self._dialect.name(JOURNAL)
        rows = self._session.fetch(f"select {columns} from {journal}")
        if not rows:
            return
        latest = self._version()
        by_version: dict[int, dict[str, _Changes]] = {}
        for version, table, gone, entry in rows:
            changes = by_version.setdefault(version, {}).setdefault(table, _Changes())
            (changes.gone if gone else changes.new)[tuple(orjson.loads(entry))] = None
        for version in sorted(version for version in by_version if version <= latest):
            self._apply(version, by_version[version])
        self._clear()

    def _apply(self, version: int, changes: Mapping[str, _Changes]) -> None:
        for table, each in changes.items():
            rows = [(*row, version, 1) for row in each.gone] + [(*row, version, 0) for row in each.new]
            self._append(table, {**GRAPH_TABLES[table], **MARKS}, rows)

    def _append(self, table: str, types: Mapping[str, ColumnType], rows: Sequence[Row]) -> None:
        columns = {name: [row[index] for row in rows] for index, name in enumerate(types)}
        with self._packing.of_values(types, columns) as parcel:
            self._session.append(table, tuple(types), parcel.content)

    def _clear(self) -> None:
        self._session.execute(f"truncate table {self._dialect.name(JOURNAL)}")


def _told(version: int, changes: Mapping[str, _Changes]) -> list[Row]:
    """As the journal's rows."""
    return [
        (version, table, gone, orjson.dumps(row).decode())
        for table, each in changes.items()
        for gone, rows in enumerate((each.new, each.gone))
        for row in rows
    ]


def _project(table: str, rows: Iterable[Row], columns: Sequence[str]) -> list[Row]:
    """Rows of all columns, reduced to these."""
    names = tuple(GRAPH_TABLES[table])
    indices = [names.index(name) for name in columns]
    return [tuple(row[index] for index in indices) for row in rows]
