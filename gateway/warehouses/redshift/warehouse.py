"""Redshift as a kind of warehouse."""

from contextlib import AbstractAsyncContextManager, closing

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.redshift.dialect import DIALECT
from gateway.warehouses.redshift.settings import RedshiftSettings
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.warehouse import Server, open_server


def connect(settings: RedshiftSettings) -> Session:
    """A session, not connected yet. Raises WarehouseError when a driver is not installed."""
    try:
        from gateway.warehouses.redshift.session import RedshiftSession  # noqa: PLC0415 - its drivers are an extra of the package
    except ModuleNotFoundError as error:
        raise WarehouseError(f"{error.name} is missing: pip install 'headwater[redshift]'") from error
    return RedshiftSession(settings)


def open_redshift(settings: RedshiftSettings, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when the server cannot be reached or used."""
    return open_server(settings, clock, Server(DIALECT, connect))


def probe(settings: RedshiftSettings) -> None:
    """Connect, and ask for the rights. Raises WarehouseError."""
    with closing(connect(settings)) as session:
        session.check_rights()


REDSHIFT = WarehouseKind(settings=RedshiftSettings, open=open_redshift, probe=probe)
