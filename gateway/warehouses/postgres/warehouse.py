"""PostgreSQL as a kind of warehouse."""

from gateway.warehouses.postgres.dialect import DIALECT
from gateway.warehouses.postgres.settings import PostgresSettings
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.kind import missing_driver, server_kind
from gateway.warehouses.servers.packing import Pack
from gateway.warehouses.servers.session import Session
from gateway.warehouses.shaping.engine import ShapingEngine


def connect(settings: PostgresSettings) -> Session:
    """See server_kind."""
    try:
        from gateway.warehouses.postgres import copying, session  # noqa: PLC0415, F401 - their libraries are an extra of the package
    except ModuleNotFoundError as error:
        raise missing_driver(error, "postgres") from error
    return session.PostgresSession(settings)


def pack_for(engine: ShapingEngine, dialect: Dialect) -> Pack:  # noqa: ARG001 - there is one form, and no file
    """See PackFor. There was a connection before."""
    from gateway.warehouses.postgres.copying import pack  # noqa: PLC0415 - its library is an extra of the package

    return pack


POSTGRES = server_kind(PostgresSettings, connect, lambda _: DIALECT, pack_for)
