"""PostgreSQL as a kind of warehouse."""

from gateway.warehouses.postgres.dialect import DIALECT
from gateway.warehouses.postgres.settings import PostgresSettings
from gateway.warehouses.servers.kind import missing_driver, server_kind
from gateway.warehouses.servers.session import Session


def connect(settings: PostgresSettings) -> Session:
    """See server_kind."""
    try:
        from gateway.warehouses.postgres.session import PostgresSession  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise missing_driver(error, "postgres") from error
    return PostgresSession(settings)


POSTGRES = server_kind(PostgresSettings, connect, lambda _: DIALECT)
