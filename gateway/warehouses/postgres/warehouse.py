"""PostgreSQL as a kind of warehouse."""

from contextlib import AbstractAsyncContextManager, closing

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.postgres.dialect import DIALECT
from gateway.warehouses.postgres.settings import PostgresSettings
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.warehouse import Server, open_server


def connect(settings: PostgresSettings) -> Session:
    """A session, not connected yet. Raises WarehouseError when the driver is not installed."""
    try:
        from gateway.warehouses.postgres.session import PostgresSession  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise WarehouseError(f"{error.name} is missing: pip install 'headwater[postgres]'") from error
    return PostgresSession(settings)


def open_postgres(settings: PostgresSettings, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the server cannot be reached or used."""
    return open_server(settings, clock, Server(DIALECT, connect))


def probe(settings: PostgresSettings) -> None:
    """Connect, and ask for the rights. Raises WarehouseError."""
    with closing(connect(settings)) as session:
        session.check_rights()


POSTGRES = WarehouseKind(settings=PostgresSettings, open=open_postgres, probe=probe)
