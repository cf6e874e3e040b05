"""Snowflake as a kind of warehouse."""

from gateway.warehouses.servers.kind import missing_driver, server_kind
from gateway.warehouses.servers.session import Session
from gateway.warehouses.snowflake.dialect import DIALECT
from gateway.warehouses.snowflake.settings import SnowflakeSettings


def connect(settings: SnowflakeSettings) -> Session:
    """See server_kind."""
    try:
        from gateway.warehouses.snowflake.session import SnowflakeSession  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise missing_driver(error, "snowflake") from error
    return SnowflakeSession(settings)


SNOWFLAKE = server_kind(SnowflakeSettings, connect, lambda _: DIALECT)
