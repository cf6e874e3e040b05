"""Snowflake as a kind of warehouse."""

from contextlib import AbstractAsyncContextManager, closing

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.warehouse import Server, open_server
from gateway.warehouses.snowflake.dialect import DIALECT
from gateway.warehouses.snowflake.settings import SnowflakeSettings


def connect(settings: SnowflakeSettings) -> Session:
    """A session, not connected yet. Raises WarehouseError when the driver is not installed."""
    try:
        from gateway.warehouses.snowflake.session import SnowflakeSession  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise WarehouseError(f"{error.name} is missing: pip install 'headwater[snowflake]'") from error
    return SnowflakeSession(settings)


def open_snowflake(settings: SnowflakeSettings, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when Snowflake cannot be reached or used."""
    return open_server(settings, clock, Server(DIALECT, connect))


def probe(settings: SnowflakeSettings) -> None:
    """Connect, and ask for what can be used. Raises WarehouseError."""
    with closing(connect(settings)) as session:
        session.check_rights()


SNOWFLAKE = WarehouseKind(settings=SnowflakeSettings, open=open_snowflake, probe=probe)
