"""The settings of a DuckDB warehouse."""

from pathlib import Path
from typing import Literal

from gateway.config.units import Size
from gateway.warehouses.settings import TableSettings


class DuckDBSettings(TableSettings):
    """One database file."""

    type: Literal["duckdb"] = "duckdb"
    path: Path
    """The database file; made when it is not there."""
    memory_limit: Size = 48 * 2**20
    """What DuckDB may use for loads and queries; beyond it, it goes to disk beside the file. The identity graph adds to
    it, see `make_room`."""
