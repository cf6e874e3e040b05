"""Rows in Parquet files."""

from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.model.person import Known
from gateway.warehouses.duckdb import catalogue
from gateway.warehouses.duckdb.identity import FileIdentity, people
from gateway.warehouses.duckdb.rows import Receiving, stored_tables
from gateway.warehouses.duckdb.statements import in_file
from gateway.warehouses.identity.keeper import rules_of
from gateway.warehouses.layout import columns_of
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.objects import Disk, Store
from gateway.warehouses.parquet import files
from gateway.warehouses.parquet.names import all_files, file_name, file_path
from gateway.warehouses.parquet.outbox import Outbox
from gateway.warehouses.parquet.persons import PersonFiles
from gateway.warehouses.parquet.settings import ParquetSettings
from gateway.warehouses.parquet.snapshots import Snapshots
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.shaping.rows import table_rows
from gateway.warehouses.shaping.staging import Staging
from gateway.warehouses.values import Capacity

EVENTS = "events"
"""The schema of the state whose tables have the columns of the files, and no rows."""


class ParquetRows:
    """The `Rows` of a folder or a bucket. In a folder, views show the files; those in a bucket are not read here."""

    capacity = Capacity(can_widen=False)
    publishes_graph = True

    def __init__(self, settings: ParquetSettings, clock: Clock, store: Store, outbox: Outbox) -> None:
        self._root = Path(settings.path) if isinstance(store, Disk) else None
        self._outbox = outbox
        self._snapshots = Snapshots(outbox, store, clock, settings.snapshot_interval)
        self._persons = PersonFiles(store, outbox, rules_of(settings.identity).blocklist)
        self._shown: set[str] = set()
        """Tables whose views read files, of which there must be one."""
        self._waits = False

    @property
    def is_due(self) -> bool:
        """See Rows."""
        return self._waits or self._snapshots.are_due

    def restore(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> Schema:
        """See Rows."""
        connection.execute(f"create schema if not exists {EVENTS}")
        self._outbox.prepare(connection)
        self._snapshots.prepare(connection)
        schema = catalogue.read_schema(connection, limits, EVENTS)
        for name in stored_tables(schema):
            self._show(connection, schema, name)
        return schema

    def grow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, identity: FileIdentity) -> None:
        """See Rows."""
        catalogue.grow_tables(connection, schema, EVENTS)
        grown = {name for name, _ in schema.growth.columns} | schema.growth.tables.keys()
        for name in grown - {""} | set(stored_tables(schema) if "" in grown else ()):
            self._show(connection, schema, name)
        catalogue.show_growth(connection, schema, identity)

    def append(self, staging: Staging, schema: Schema, tables: Receiving, log_id: str) -> None:
        """See Rows. A file for each table and day, in the outbox."""
        ids = staging.number("select coalesce(bit_xor(high), 0) from temp.hashes")
        name = file_name(log_id, staging.batches[0].first_offset, staging.batches[-1].next_offset, ids)
        days = "select distinct received_at::date::varchar from temp.staged order by 1"
        for (date,) in staging.connection.execute(days).fetchall():
            for table in tables.all:
                self._write(staging, schema, table, date, file_path(table, date, name))

    def before_commit(self, connection: duckdb.DuckDBPyConnection, *, is_busy: bool) -> None:
        """See Rows."""

    def after_commit(self, staging: Staging, rows: int) -> None:  # noqa: ARG002
        """See Rows."""
        self._waits = True

    def follow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:  # noqa: ARG002
        """See Rows."""
        self._outbox.publish(connection)
        self._waits = False
        self._show_changed(connection, schema)
        if self._snapshots.are_due:
            self._snapshots.publish(connection)

    def finish(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """See Rows."""
        self._show_changed(connection, schema)
        self._snapshots.publish(connection)

    def require_answers(self) -> None:
        """See Rows."""
        if self._root is None:
            raise WarehouseError(
                "its events are in a bucket, whose files are not read here",
                hint="ask Athena, BigQuery, Spark or DuckDB, as docs/warehouses/parquet.md shows;"
                " `headwater export-person` reads them all",
            )

    def export(self, connection: duckdb.DuckDBPyConnection, schema: Schema, person: Known) -> dict[str, Any]:
        """See Rows. Of a bucket, the person's rows are put where the views look, for as long as a transaction."""
        tables = stored_tables(schema)
        if self._root is not None:
            return people.export(connection, person, tables)
        connection.begin()
        try:
            for _, table, file in self._persons.having(connection, person, [person.person_id]):
                if table in tables:
                    rows = files.read(file, columns_of(schema.tables[table], schema.context))
                    theirs = f"from ({rows}) semi join temp.gathered using (id, source)"
                    connection.execute(f"insert into {in_file(table, EVENTS)} by name {theirs}")
            return people.export(connection, person, tables)
        finally:
            connection.rollback()

    def remove(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: Schema,  # noqa: ARG002 - the files of other gateways count too
        person: Known,
        persons: set[str],
    ) -> dict[str, int]:
        """See Rows. File by file, each at once; what a failure leaves is removed by the next call."""
        removed = Counter[str]()
        for table, rows in self._persons.remove(connection, person, persons):
            removed[table] += rows
        return removed

    def _write(self, staging: Staging, schema: Schema, table: str, date: str, path: str) -> None:
        known = schema.tables[table]
        rows = table_rows(known, schema.context, staging.texts, where=f"s.received_at::date = {literal(date)}")
        query = files.written(rows, columns_of(known, schema.context))
        file = self._outbox.file(path)
        ((count,),) = staging.connection.execute(files.copy(query, file)).fetchall()
        if count:
            self._outbox.add(staging.connection, path)

    def _show_changed(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Tables that have got their first file, or lost their last one."""
        for name in stored_tables(schema):
            if self._has_files(name) != (name in self._shown):
                self._show(connection, schema, name)

    def _show(self, connection: duckdb.DuckDBPyConnection, schema: Schema, name: str) -> None:
        columns = columns_of(schema.tables[name], schema.context)
        if self._root is not None and self._has_files(name):
            query = files.read(self._root / all_files(name), columns)
            self._shown.add(name)
        else:
            query = f"select {', '.join(map(quoted, columns))} from {in_file(name, EVENTS)}"
            self._shown.discard(name)
        connection.execute(f"create or replace view {in_file(name)} as {query}")

    def _has_files(self, name: str) -> bool:
        return self._root is not None and next(self._root.glob(all_files(name)), None) is not None
