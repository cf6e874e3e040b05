"""ClickHouse as a kind of warehouse."""

from contextlib import AbstractAsyncContextManager, closing

from gateway.model.clock import Clock
from gateway.warehouses.clickhouse.dialect import dialect_of
from gateway.warehouses.clickhouse.session import ClickHouseSession
from gateway.warehouses.clickhouse.settings import ClickHouseSettings
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.warehouse import Server, open_server


def connect(settings: ClickHouseSettings) -> Session:
    """A session, not connected yet."""
    return ClickHouseSession(settings)


def open_clickhouse(settings: ClickHouseSettings, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the server cannot be reached or used."""
    return open_server(settings, clock, Server(dialect_of(settings.engine_prefix), connect))


def probe(settings: ClickHouseSettings) -> None:
    """Ask for the rights. Raises WarehouseError."""
    with closing(connect(settings)) as session:
        session.check_rights()


CLICKHOUSE = WarehouseKind(settings=ClickHouseSettings, open=open_clickhouse, probe=probe)
