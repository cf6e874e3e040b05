"""Rows in tables of the file itself."""

from typing import Any

import duckdb

from gateway.model.clock import Clock
from gateway.model.person import Known
from gateway.warehouses.duckdb import catalogue, statements
from gateway.warehouses.duckdb.event_tables import EventTables
from gateway.warehouses.duckdb.identity import FileIdentity, people
from gateway.warehouses.duckdb.identity.tables import GRAPH, make_room
from gateway.warehouses.duckdb.rows import Receiving, stored_tables
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.shaping.staging import Staging
from gateway.warehouses.values import ANYTHING

LOADS_BETWEEN_VACUUMS = 16
VACUUM_TASKS = 2
"""Row groups that one vacuum makes of smaller ones, for each table: it keeps the load that does it waiting."""


class FileRows:
    """The `Rows` of the DuckDB warehouse."""

    capacity = ANYTHING
    publishes_graph = False
    is_due = False

    def __init__(self, settings: DuckDBSettings, clock: Clock) -> None:
        self._event_tables = EventTables(clock)
        self._memory_limit = settings.memory_limit
        self._few_rows = LOADS_BETWEEN_VACUUMS * settings.batch.max_events // 2
        self._loads = 0
        self._rows_since_vacuum = 0

    def restore(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> Schema:
        """See Rows."""
        catalogue.create_filled(connection)
        schema = catalogue.read_schema(connection, limits)
        self._event_tables.restore(connection, schema)
        return schema

    def grow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, identity: FileIdentity) -> None:
        """See Rows."""
        catalogue.write_growth(connection, schema, identity)

    def append(self, staging: Staging, schema: Schema, tables: Receiving, log_id: str) -> None:  # noqa: ARG002
        """See Rows. Events' own tables are filled from `tracks`."""
        for name in tables.of_types:
            table = schema.tables[name]
            staging.connection.execute(
                statements.fill_table(table, schema.context, staging.texts, self._event_tables.next_load)
            )

    def before_commit(self, connection: duckdb.DuckDBPyConnection, *, is_busy: bool) -> None:
        """See Rows. Small loads leave small row groups, put together when there is time and memory to spare."""
        is_time = self._loads % LOADS_BETWEEN_VACUUMS == LOADS_BETWEEN_VACUUMS - 1
        is_quiet = not is_busy and self._rows_since_vacuum < self._few_rows
        connection.execute(f"set max_vacuum_tasks = {VACUUM_TASKS if is_time and is_quiet else 0}")
        if is_time:
            self._rows_since_vacuum = 0

    def after_commit(self, staging: Staging, rows: int) -> None:
        """See Rows."""
        self._loads += 1
        self._rows_since_vacuum += rows
        self._event_tables.stored(staging.event_rows)

    def follow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:
        """See Rows."""
        self._event_tables.fill(connection, schema, is_busy=is_busy)

    def finish(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """See Rows. What waits is found again in the file."""

    def require_answers(self) -> None:
        """See Rows. They can."""

    def export(self, connection: duckdb.DuckDBPyConnection, schema: Schema, person: Known) -> dict[str, Any]:
        """See Rows."""
        return people.export(connection, person, stored_tables(schema))

    def remove(
        self, connection: duckdb.DuckDBPyConnection, schema: Schema, person: Known, persons: set[str]
    ) -> dict[str, int]:
        """See Rows."""
        tables = stored_tables(schema)
        make_room(connection, self._memory_limit, [*GRAPH, *tables])
        people.gather(connection, person, persons)
        return {table: connection.execute(statements.remove_gathered(table)).fetchall()[0][0] for table in tables}
