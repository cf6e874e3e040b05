"""A kind of server as a kind of warehouse."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from typing import TypeVar

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.identity.keeper import rules_of
from gateway.warehouses.servers.catalogue import planned
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.once import asked_once
from gateway.warehouses.servers.packing import PackFor, into_files
from gateway.warehouses.servers.session import Session
from gateway.warehouses.servers.settings import ServerSettings
from gateway.warehouses.servers.warehouse import Server, open_server

S = TypeVar("S", bound=ServerSettings)


def server_kind(
    settings: type[S],
    connect: Callable[[S], Session],
    dialect_of: Callable[[S], Dialect],
    pack_for: PackFor = into_files,
) -> WarehouseKind[S]:
    """`connect` gives a session that is not connected yet; it raises WarehouseError when a library is missing."""

    def open_warehouse(chosen: S, clock: Clock) -> AbstractAsyncContextManager[Warehouse]:
        return open_server(chosen, clock, Server(dialect_of(chosen), connect, pack_for))

    def probe(chosen: S) -> None:
        with asked_once(), closing(connect(chosen)) as session:
            session.check_rights()

    def plan(chosen: S) -> list[str]:
        dialect = dialect_of(chosen)
        with asked_once(), closing(connect(chosen)) as session:
            return list(planned(session, dialect, chosen.limits(dialect.capacity), rules_of(chosen.identity).blocklist))

    return WarehouseKind(settings=settings, open=open_warehouse, probe=probe, plan=plan)


def missing_driver(error: ModuleNotFoundError, extra: str) -> WarehouseError:
    """What to install."""
    return WarehouseError(
        f"a library that it needs is not installed: {error.name}", hint=f"pip install 'headwater[{extra}]'"
    )
