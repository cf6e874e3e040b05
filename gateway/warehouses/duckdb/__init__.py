"""DuckDB, the embedded default: the flow is arrivals -> load (statements, repair) -> the file."""

from gateway.warehouses.duckdb.kind import DUCKDB
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.duckdb.warehouse import open_duckdb

__all__ = ["DUCKDB", "DuckDBSettings", "open_duckdb"]
