"""DuckDB: a file in the test's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.warehouses.duckdb import DUCKDB as KIND
from gateway.warehouses.names import quoted
from gateway.warehouses.shaping.expressions import SQL_TYPES
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings


@contextmanager
def serve() -> Iterator[NewSettings]:
    """Nothing has to run."""

    def settings(folder: Path) -> Settings:
        return {"path": str(folder / "warehouse.duckdb")}

    yield settings


DUCKDB = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="select column_name, data_type from information_schema.columns where table_name = '{table}'",
    types={sql_type: kind for kind, sql_type in SQL_TYPES.items()},
    quoted=quoted,
)
