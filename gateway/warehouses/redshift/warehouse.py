"""Redshift as a kind of warehouse."""

from gateway.warehouses.redshift.dialect import DIALECT
from gateway.warehouses.redshift.settings import RedshiftSettings
from gateway.warehouses.servers.kind import missing_driver, server_kind
from gateway.warehouses.servers.session import Session


def connect(settings: RedshiftSettings) -> Session:
    """See server_kind."""
    try:
        from gateway.warehouses.redshift.session import RedshiftSession  # noqa: PLC0415 - its drivers are an extra of the package
    except ModuleNotFoundError as error:
        raise missing_driver(error, "redshift") from error
    return RedshiftSession(settings)


REDSHIFT = server_kind(RedshiftSettings, connect, lambda _: DIALECT)
