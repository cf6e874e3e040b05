"""How Snowflake is connected to, and what every connection has: a place for files, and the lock between gateways."""

from typing import Any
from urllib.parse import urlsplit

import snowflake.connector
from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor

from gateway.warehouses.servers.session import Groundwork
from gateway.warehouses.snowflake.dialect import DIALECT
from gateway.warehouses.snowflake.settings import SnowflakeSettings
from gateway.warehouses.values import ColumnType

LOCK = "_headwater_lock"
"""A table of one row. Whoever changes it is alone until the transaction ends: others wait."""
CLAIMED = "_headwater_claimed"
FILES = "_HEADWATER_FILES"
"""A table and a stage that are gone with the connection."""
LONGEST_WAIT_S = 600
"""For the lock. Snowflake ends a transaction in somebody's way that nobody has gone on with for five minutes."""

_INTEGER = DIALECT.types[ColumnType.INTEGER]
CLAIMED_TYPES = dict.fromkeys(("position", "high", "low"), _INTEGER)
_PARAMETERS = {
    "TIMEZONE": "UTC",
    "LOCK_TIMEOUT": LONGEST_WAIT_S,
    "ABORT_DETACHED_QUERY": True,
    "JSON_INDENT": 0,
    "QUERY_TAG": "headwater",
    "CLIENT_TELEMETRY_ENABLED": False,
}


def connect(settings: SnowflakeSettings) -> SnowflakeConnection:
    """Raises the driver's errors. Makes nothing that stays."""
    passphrase = settings.private_key_passphrase
    connection = snowflake.connector.connect(
        account=settings.account,
        user=settings.user,
        authenticator="SNOWFLAKE_JWT",
        private_key_file=str(settings.private_key_file),
        private_key_password=passphrase.get_secret_value() if passphrase else None,
        role=settings.role or None,
        warehouse=settings.warehouse,
        database=settings.database,
        schema=settings.schema_name,
        login_timeout=max(1, round(settings.timeout)),
        session_parameters=_PARAMETERS,
        application="headwater",
        enable_server_session_keep_alive_auto_detection=False,
        auto_cleanup=False,
        **_reached_at(settings.endpoint),
    )
    try:
        with connection.cursor() as cursor:
            if _exists(cursor, "schemata", {"schema_name": settings.schema_name}):
                make_room(cursor, settings.schema_name)
    except BaseException:
        connection.close()
        raise
    return connection


def make_room(cursor: SnowflakeCursor, schema: str) -> None:
    """What the connection has for itself, in a schema that is there. It is no part of a transaction, and ends one."""
    claimed = ", ".join(f"{DIALECT.name(column)} {kind}" for column, kind in CLAIMED_TYPES.items())
    cursor.execute(f"use schema {DIALECT.name(schema)}")
    cursor.execute(f"create temporary table if not exists {DIALECT.name(CLAIMED)} ({claimed})")
    cursor.execute(f"create temporary stage if not exists {FILES}")


def groundwork(cursor: SnowflakeCursor, schema: str) -> Groundwork:
    """The schema and the lock. What is there is not made again: that takes a right which the role need not have."""
    has_schema = _exists(cursor, "schemata", {"schema_name": schema})
    has_lock = _exists(cursor, "tables", {"table_schema": schema, "table_name": LOCK})
    turns = DIALECT.name("turns")
    lock = f"create table if not exists {DIALECT.name(LOCK)} as select 0::{_INTEGER} as {turns}"
    return Groundwork(
        [] if has_schema else [f"create schema if not exists {DIALECT.name(schema)}"], [] if has_lock else [lock]
    )


def _reached_at(endpoint: str | None) -> dict[str, Any]:
    if endpoint is None:
        return {}
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"protocol": parts.scheme, "host": parts.hostname, "port": port}


def _exists(cursor: SnowflakeCursor, listing: str, names: dict[str, str]) -> bool:
    where = " and ".join(f"{column} = {DIALECT.literal(name.upper())}" for column, name in names.items())
    ((found,),) = cursor.execute(f"select count(*) from information_schema.{listing} where {where}").fetchall()
    return bool(found)
