"""The graph's rows on a server."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from gateway.warehouses.identity.entries import Row
from gateway.warehouses.identity.tables import GRAPH_TABLES
from gateway.warehouses.servers.ddl import GONE
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.packing import Packing
from gateway.warehouses.servers.session import Session
from gateway.warehouses.values import ColumnType

HASHES_AT_ONCE = 5_000
"""Of one statement."""
HASHES_IN_SCRIPT = 500
"""Of a statement that is one of many, all of which are sent together."""


class ServerEntries:
    """The `Entries` of a session."""

    def __init__(self, session: Session, dialect: Dialect, packing: Packing) -> None:
        self.session = session
        self.dialect = dialect
        self.packing = packing

    def find(self, table: str, column: str, hashes: Collection[int], columns: Sequence[str]) -> list[Row]:
        """See Entries."""
        query = f"select {self.dialect.names(columns)} from {self.dialect.name(table)}"
        return [
            row
            for listed in _portions(hashes)
            for row in self.session.fetch(f"{query} where {self.dialect.name(column)} in ({listed})")
        ]

    def read(self, table: str, columns: Sequence[str]) -> list[Row]:
        """See Entries."""
        types, names = GRAPH_TABLES[table], {name: self.dialect.name(name) for name in columns}
        values = [
            self.dialect.us_of.format(moment=written) if types[name] is ColumnType.MOMENT else written
            for name, written in names.items()
        ]
        return self.session.fetch(f"select {', '.join(values)} from {self.dialect.name(table)}")

    def count(self, table: str) -> int:
        """See Entries."""
        ((rows,),) = self.session.fetch(f"select count(*) from {self.dialect.name(table)}")
        return int(rows)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """See Entries."""
        with self.packing.of_values(GRAPH_TABLES[table], columns) as rows:
            self.session.append(table, tuple(columns), rows.content)

    def delete(self, table: str, column: str, hashes: Collection[int]) -> None:
        """See Entries."""
        removed = f"delete from {self.dialect.name(table)} where {self.dialect.name(column)} in"
        if self.dialect.hashes_go_by_table and len(hashes) > HASHES_IN_SCRIPT:
            gone, name = self.dialect.name(GONE), self.dialect.name("hash")
            with self.packing.of_values({"hash": ColumnType.INTEGER}, {"hash": list(hashes)}) as rows:
                self.session.append(GONE, ("hash",), rows.content)
            self.session.execute(f"{removed} (select {name} from {gone})")
            self.session.execute(f"delete from {gone} where 1 = 1")
            return
        for listed in _portions(hashes):
            self.session.execute(f"{removed} ({listed})")

    def clear(self, table: str) -> None:
        """See Entries."""
        self.session.execute(f"delete from {self.dialect.name(table)} where 1 = 1")

    def lock(self) -> None:
        """See Entries."""
        self.session.judge_alone()

    def expect_changes(self) -> None:
        """See Entries."""
        self.lock()


def _portions(hashes: Collection[int]) -> Iterator[str]:
    rest = iter(hashes)
    while portion := list(islice(rest, HASHES_AT_ONCE)):
        yield ", ".join(map(str, portion))
