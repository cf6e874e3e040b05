"""What the file holds, counted by itself."""

from collections.abc import Mapping

import duckdb

from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Counts, Handed
from gateway.warehouses.counting import FORGOTTEN, counted, event_rows
from gateway.warehouses.duckdb.catalogue import CURSORS, IDS, advance
from gateway.warehouses.duckdb.rows import Rows
from gateway.warehouses.duckdb.statements import in_file
from gateway.warehouses.names import TABLES_OF_TYPE


def counts(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Counts:
    """Everything; of rows elsewhere, as far as they are in reach."""
    logs = connection.execute(f"select log_id, next_offset, events from {CURSORS}").fetchall()
    handed = {log_id: Handed(next_offset, events) for log_id, next_offset, events in logs}
    return counted(handed, _number(connection, IDS), _rows(connection, rows))


def note_forgotten(connection: duckdb.DuckDBPyConnection, removed: Mapping[str, int]) -> None:
    """Part of the transaction that removes a person's rows: how many, by table."""
    if rows := event_rows(removed):
        advance(connection, FORGOTTEN, 0, rows)


def _rows(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Mapping[str, int] | None:
    try:
        rows.require_answers()
    except WarehouseError:
        return None
    return {name: _number(connection, in_file(name)) for name in TABLES_OF_TYPE.values()}


def _number(connection: duckdb.DuckDBPyConnection, source: str) -> int:
    ((number,),) = connection.execute(f"select count(*) from {source}").fetchall()
    return int(number)
