"""Tries the database file for `headwater check`, without making or changing it."""

from pathlib import Path

import duckdb

from gateway.model.errors import WarehouseError
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.names import literal
from gateway.warehouses.places import require_writable

_IN_USE = "Could not set lock"
_NO_DATABASE = "not a valid DuckDB database"


def probe(settings: DuckDBSettings) -> None:
    """Raises WarehouseError where loads could not use the file; they could, where another program has it open now."""
    path = settings.path.absolute()
    if path.is_dir():
        raise WarehouseError(f"{path} is a directory", hint='write the path of a file, like "data/warehouse.duckdb"')
    require_writable(path.parent)
    require_writable(path)
    if path.exists():
        _require_database(path)


def _require_database(path: Path) -> None:
    try:
        with duckdb.connect() as engine:
            engine.execute(f"attach {literal(str(path))} (read_only, type duckdb)")
    except duckdb.Error as error:
        message = str(error).partition("\n")[0]
        if _NO_DATABASE in message:
            hint = "set path to another file, or move this one away: a database is made where there is none"
            raise WarehouseError(f"{path} is no DuckDB database", hint=hint) from error
        if _IN_USE not in message:
            raise WarehouseError(f"{path} cannot be opened: {message}", hint="see docs/warehouses/duckdb.md") from error
