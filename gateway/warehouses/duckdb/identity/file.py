"""The graph in the file: what is kept by the load, and what the owner does to it."""

from collections import Counter
from typing import Any

import duckdb

from gateway.config.identity import IdentitySettings
from gateway.model.clock import Clock
from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import revision
from gateway.warehouses.duckdb.identity.entries import FileEntries
from gateway.warehouses.duckdb.identity.tables import CREATE_TABLES, GRAPH, make_room
from gateway.warehouses.duckdb.identity.views import create_views
from gateway.warehouses.identity.keeper import IdentityKeeper
from gateway.warehouses.schema import Schema


class FileIdentity:
    """Every method is within a transaction of its caller; `keeper.settle` comes after the commit."""

    def __init__(self, settings: IdentitySettings, clock: Clock, memory_limit: int) -> None:
        self.keeper = IdentityKeeper(settings, clock)
        self._memory_limit = memory_limit

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the tables, and learn from them."""
        for statement in CREATE_TABLES:
            connection.execute(statement)
        self.keeper.prepare(self._entries(connection))

    def show(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Make the views, of the columns that there are now."""
        for statement in create_views(schema, self.keeper.rules.blocklist):
            connection.execute(statement)

    def take(self, connection: duckdb.DuckDBPyConnection) -> Counter[str]:
        """What `temp.staged` says goes into the graph; see IdentityKeeper."""
        return self.keeper.take(connection, self._entries(connection))

    def catch_up(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Judge what waits."""
        self.keeper.catch_up(self._entries(connection))

    def unmerge(self, connection: duckdb.DuckDBPyConnection, left: str, right: str) -> tuple[str, str]:
        """See revision.py."""
        make_room(connection, self._memory_limit, GRAPH)
        return revision.unmerge(connection, self.keeper.rules, left, right, self.keeper.now_us)

    def rebuild(self, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
        """See revision.py."""
        make_room(connection, self._memory_limit, GRAPH)
        return revision.rebuild(connection, self.keeper.rules, self.keeper.now_us)

    def forget(
        self, connection: duckdb.DuckDBPyConnection, person: Known, remove_rows: revision.RemoveRows
    ) -> dict[str, int]:
        """See revision.py."""
        make_room(connection, self._memory_limit, GRAPH)
        return revision.forget(connection, self.keeper.rules, person, remove_rows, self.keeper.now_us)

    def _entries(self, connection: duckdb.DuckDBPyConnection) -> FileEntries:
        return FileEntries(connection, self._memory_limit)
