"""Snowflake: fakesnow in a process of its own, over HTTP; a schema for each test."""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.warehouses.snowflake import SNOWFLAKE as KIND
from gateway.warehouses.snowflake.dialect import DIALECT
from gateway.warehouses.values import ColumnType
from tests.e2e.harness.ports import free_port
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings

FAKESNOW = Path(__file__).parents[1] / "fakesnow"
STARTED_WITHIN_S = 60


@contextmanager
def serve() -> Iterator[NewSettings]:
    """A server that is gone at the end."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="headwater.") as folder:
        key = Path(folder) / "key.p8"
        key.touch(0o600)
        key.write_bytes(_new_key())
        command = [str(FAKESNOW / ".venv/bin/python"), str(FAKESNOW / "server.py"), str(port)]
        with subprocess.Popen(command, env={"TMPDIR": folder}, stdin=subprocess.PIPE) as server:
            try:
                _wait_for(port)
                yield _numbered(port, key)
            finally:
                server.kill()


def _numbered(port: int, key: Path) -> NewSettings:
    numbers = count()

    def settings(_: Path) -> Settings:
        return {
            "endpoint": f"http://127.0.0.1:{port}",
            "account": "shop-events",
            "user": "headwater",
            "private_key_file": str(key),
            "warehouse": "loading",
            "database": "events",
            "schema": f"test_{next(numbers)}",
        }

    return settings


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    unencrypted = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


SNOWFLAKE = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="""
        select column_name, data_type from information_schema.columns
        where table_schema = current_schema() and table_name = upper('{table}')""",
    types={
        "BOOLEAN": ColumnType.BOOLEAN,
        "NUMBER": ColumnType.INTEGER,
        "FLOAT": ColumnType.NUMBER,
        "TIMESTAMP_TZ": ColumnType.MOMENT,
        "TEXT": ColumnType.TEXT,
        "VARIANT": ColumnType.JSON,
    },
    quoted=DIALECT.name,
    is_slow=True,
    can_widen=False,
    examples=10,
    kills=12,
    left_out={"test_a_question_that_takes_too_long_is_stopped": "fakesnow has no limits of time"},
)
