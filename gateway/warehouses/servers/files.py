"""Rows on their way to a server: in files of the dialect's format, which DuckDB writes and nobody keeps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from gateway.warehouses.names import literal, quoted
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.shaping.arrivals import rows_of
from gateway.warehouses.shaping.engine import ShapingEngine, translated
from gateway.warehouses.values import ColumnType

_FROM_NUMBER = {
    ColumnType.MOMENT: "make_timestamptz({})",
    ColumnType.BOOLEAN: "{} = 1",
    ColumnType.TEXT: "{}::varchar",
}
"""How what Python gives is typed; a column without any text arrives as numbers."""


class RowFile(NamedTuple):
    """A file, and how many rows are in it."""

    path: Path
    rows: int


class RowFiles:
    """Files in the folder of the engine, one after the other."""

    def __init__(self, engine: ShapingEngine, dialect: Dialect) -> None:
        self._engine = engine
        self._format = dialect.bulk
        self._json_goes_as_text = dialect.json_goes_as_text
        self._numbers = count()

    @contextmanager
    def of_query(self, connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[RowFile]:
        """A file with the rows of a query, until the context ends. Raises WarehouseRowError when it cannot be run."""
        file = self._engine.folder / f"{next(self._numbers)}.{self._format.name.lower()}"
        try:
            with translated():
                if self._json_goes_as_text:
                    query = _with_texts(connection, query)
                copied = connection.execute(f"copy ({query}) to {literal(str(file))} ({self._format.value})")
                ((rows,),) = copied.fetchall()
            yield RowFile(file, rows)
        finally:
            file.unlink(missing_ok=True)

    @contextmanager
    def of_values(self, types: Mapping[str, ColumnType], columns: Mapping[str, Sequence[Any]]) -> Iterator[RowFile]:
        """The same of values, given as `Entries.insert` says."""
        typed = {name: _FROM_NUMBER.get(types[name], "{}").format(quoted(name)) for name in columns}
        values = ", ".join(f"{value} as {quoted(name)}" for name, value in typed.items())
        with closing(self._engine.connection()) as connection:
            connection.register("inserted", rows_of(columns))
            with self.of_query(connection, f"select {values} from inserted") as file:
                yield file


def _with_texts(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query, with texts for JSON."""
    described = connection.execute(f"describe {query}").fetchall()
    columns = {name: f"{quoted(name)}::varchar" if kind == "JSON" else quoted(name) for name, kind, *_ in described}
    return f"select {', '.join(f'{value} as {quoted(name)}' for name, value in columns.items())} from ({query})"
