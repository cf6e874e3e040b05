"""The graph's rows in the file."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import duckdb

from gateway.warehouses.duckdb.identity.tables import REPLACED, make_room
from gateway.warehouses.identity.entries import Row
from gateway.warehouses.identity.graph import Graph
from gateway.warehouses.identity.tables import GRAPH_TABLES
from gateway.warehouses.shaping.arrivals import rows_of
from gateway.warehouses.values import ColumnType

MANY = 2_000
"""So many are somewhere in every part of a large table."""


class FileEntries:
    """The `Entries` of an open file. `memory_limit` is in bytes; without it, whoever changes much makes the room."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, memory_limit: int | None = None) -> None:
        self._connection = connection
        self._memory_limit = memory_limit

    def find(self, table: str, column: str, hashes: Collection[int], columns: Sequence[str]) -> list[Row]:
        """See Entries. Few in two steps: one column of the whole table is read, others only where something is."""
        listed, where = ", ".join(columns), f"from {table} semi join asked on {column} = hash"
        self._ask(hashes)
        if len(hashes) > MANY:
            return self._connection.execute(f"select {listed} {where}").fetchall()
        rowids = self._connection.execute(f"select rowid {where}").fetchall()
        if not rowids:
            return []
        self._connection.register("rowids", rows_of({"number": [row for (row,) in rowids]}))
        return self._connection.execute(
            f"select {listed} from {table} t join rowids r on t.rowid = r.number"
        ).fetchall()

    def read(self, table: str, columns: Sequence[str]) -> list[Row]:
        """See Entries."""
        types = GRAPH_TABLES[table]
        values = [f"epoch_us({name})" if types[name] is ColumnType.MOMENT else name for name in columns]
        return self._connection.execute(f"select {', '.join(values)} from {table}").fetchall()

    def count(self, table: str) -> int:
        """See Entries."""
        ((rows,),) = self._connection.execute(f"select count(*) from {table}").fetchall()
        return int(rows)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """See Entries."""
        types = GRAPH_TABLES[table]
        values = [_FROM_NUMBER.get(types[name], "{}").format(name) for name in columns]
        self._connection.register("inserted", rows_of(columns))
        self._connection.execute(f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} from inserted")

    def delete(self, table: str, column: str, hashes: Collection[int]) -> None:
        """See Entries."""
        self._ask(hashes)
        self._connection.execute(f"delete from {table} where {column} in (select hash from asked)")

    def clear(self, table: str) -> None:
        """See Entries."""
        self._connection.execute(f"delete from {table}")

    def lock(self) -> None:
        """See Entries. There is no other gateway."""

    def expect_changes(self) -> None:
        """See Entries."""
        if self._memory_limit is not None:
            make_room(self._connection, self._memory_limit, REPLACED)

    def _ask(self, hashes: Collection[int]) -> None:
        self._connection.register("asked", rows_of({"hash": list(hashes)}))


def graph_of(connection: duckdb.DuckDBPyConnection) -> Graph:
    """The graph in an open file, for whoever has made room for changes."""
    return Graph(FileEntries(connection))


_FROM_NUMBER = {ColumnType.MOMENT: "make_timestamptz({})", ColumnType.BOOLEAN: "{} = 1"}
"""How what arrives as a number is read."""
