"""Rows on their way from DuckDB to a server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from typing import Any, NamedTuple

import duckdb

from gateway.warehouses.names import literal, quoted
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.shaping.arrivals import rows_of
from gateway.warehouses.shaping.engine import ShapingEngine, translated
from gateway.warehouses.values import ColumnType

_TYPED = {
    ColumnType.MOMENT: "make_timestamptz({})",
    ColumnType.BOOLEAN: "{} = 1",
    ColumnType.TEXT: "{}::varchar",
}
"""How what Python gives is typed; a column without any text arrives as numbers."""


class Parcel(NamedTuple):
    """Rows as a server's session takes them."""

    content: Any
    """The path of a file, or an iterator of bytes, which are made when they are asked for."""
    rows: int


Pack = Callable[[duckdb.DuckDBPyConnection, str], AbstractContextManager[Parcel]]
"""What makes a parcel of the rows of a query, there until the context ends."""


class Packing:
    """Makes parcels for one server."""

    def __init__(self, engine: ShapingEngine, pack: Pack) -> None:
        self._engine = engine
        self._pack = pack

    @contextmanager
    def of_query(self, connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Parcel]:
        """The rows of a query. Raises WarehouseRowError when it cannot be run."""
        with translated(), self._pack(connection, query) as parcel:
            yield parcel

    @contextmanager
    def of_values(self, types: Mapping[str, ColumnType], columns: Mapping[str, Sequence[Any]]) -> Iterator[Parcel]:
        """Values, given as `Entries.insert` says."""
        typed = {name: _TYPED.get(types[name], "{}").format(quoted(name)) for name in columns}
        values = ", ".join(f"{value} as {quoted(name)}" for name, value in typed.items())
        with closing(self._engine.connection()) as connection:
            connection.register("inserted", rows_of(columns))
            with self.of_query(connection, f"select {values} from inserted") as parcel:
                yield parcel


PackFor = Callable[[ShapingEngine, Dialect], Pack]
"""Of an engine that makes rows, and a dialect that they are for."""


def into_files(engine: ShapingEngine, dialect: Dialect) -> Pack:
    """Files in the folder of the engine, which DuckDB writes and nobody keeps."""
    numbers, bulk = count(), dialect.bulk
    assert bulk is not None

    @contextmanager
    def pack(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Parcel]:
        file = engine.folder / f"{next(numbers)}.{bulk.name.lower()}"
        try:
            asked = _with_texts(connection, query) if dialect.json_goes_as_text else query
            copied = connection.execute(f"copy ({asked}) to {literal(str(file))} ({bulk.value})")
            ((rows,),) = copied.fetchall()
            yield Parcel(file, rows)
        finally:
            file.unlink(missing_ok=True)

    return pack


def _with_texts(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query, with texts for JSON."""
    described = connection.execute(f"describe {query}").fetchall()
    columns = {name: f"{quoted(name)}::varchar" if kind == "JSON" else quoted(name) for name, kind, *_ in described}
    return f"select {', '.join(f'{value} as {quoted(name)}' for name, value in columns.items())} from ({query})"
