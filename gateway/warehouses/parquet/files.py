"""The SQL of files: how rows are written, and how they are read in place."""

from collections.abc import Mapping
from pathlib import Path

from gateway.warehouses.names import literal, quoted
from gateway.warehouses.shaping.expressions import SQL_TYPES
from gateway.warehouses.shaping.rows import Rows
from gateway.warehouses.values import ColumnType

FORMAT = "format parquet, compression zstd, row_group_size 122880"


def copy(query: str, file: Path) -> str:
    """A statement that writes a file, and answers with the number of its rows."""
    return f"copy ({query}) to {literal(str(file))} ({FORMAT})"


def written(rows: Rows, columns: Mapping[str, ColumnType]) -> str:
    """A query for all columns of a table, whichever of them these rows fill, sorted by time. JSON becomes text, which
    every reader understands."""
    listed = ", ".join(
        f"{quoted(name) if name in rows.columns else 'null'}::{_stored_as(kind)} as {quoted(name)}"
        for name, kind in columns.items()
    )
    named = ", ".join(map(quoted, rows.columns))
    return f"select {listed} from ({rows.query}) r({named}) order by r.timestamp, r.id"


def read(pattern: Path, columns: Mapping[str, ColumnType]) -> str:
    """A query for these columns of files, each of which may lack some. No file is opened before somebody asks.

    Where another gateway gave a column another type, values that fit no other way make the query fail.
    """
    spec = ", ".join(
        f"{literal(name)}: {{name: {literal(name)}, type: {literal(SQL_TYPES[kind])}, default_value: null}}"
        for name, kind in columns.items()
    )
    options = f"hive_partitioning = false, schema = map {{{spec}}}"
    return f"select {', '.join(map(quoted, columns))} from read_parquet({literal(str(pattern))}, {options})"


def _stored_as(kind: ColumnType) -> str:
    return SQL_TYPES[ColumnType.TEXT if kind is ColumnType.JSON else kind]
