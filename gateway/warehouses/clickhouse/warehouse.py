"""ClickHouse as a kind of warehouse."""

from gateway.warehouses.clickhouse.dialect import dialect_of
from gateway.warehouses.clickhouse.session import ClickHouseSession
from gateway.warehouses.clickhouse.settings import ClickHouseSettings
from gateway.warehouses.servers.kind import server_kind

CLICKHOUSE = server_kind(ClickHouseSettings, ClickHouseSession, lambda settings: dialect_of(settings.engine_prefix))
