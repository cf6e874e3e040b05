"""ClickHouse 25.3 and later, over HTTP: the dialect, the session, the lease of who writes, and the settings."""

from gateway.warehouses.clickhouse.settings import ClickHouseSettings
from gateway.warehouses.clickhouse.warehouse import CLICKHOUSE

__all__ = ["CLICKHOUSE", "ClickHouseSettings"]
