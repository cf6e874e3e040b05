"""DuckDB as a kind of warehouse."""

from gateway.warehouses.contract import WarehouseKind
from gateway.warehouses.duckdb.plan import plan
from gateway.warehouses.duckdb.probe import probe
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.duckdb.warehouse import open_duckdb

DUCKDB = WarehouseKind(settings=DuckDBSettings, open=open_duckdb, probe=probe, plan=plan)
