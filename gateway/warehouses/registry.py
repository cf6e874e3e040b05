"""Every kind of warehouse, one line each."""

from typing import Any

from gateway.warehouses.archive import ARCHIVE
from gateway.warehouses.clickhouse import CLICKHOUSE
from gateway.warehouses.contract import WarehouseKind
from gateway.warehouses.duckdb import DUCKDB
from gateway.warehouses.postgres import POSTGRES

WAREHOUSES: tuple[WarehouseKind[Any], ...] = (ARCHIVE, CLICKHOUSE, DUCKDB, POSTGRES)
