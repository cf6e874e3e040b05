"""ClickHouse: its engine for the session, behind an HTTP interface of our own; a database for each test."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from gateway.warehouses.clickhouse import CLICKHOUSE as KIND
from gateway.warehouses.clickhouse.dialect import DIALECT
from gateway.warehouses.values import ColumnType
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings

SERVER = Path(__file__).with_name("clickhouse_server.py")
STARTS_WITHIN_S = 30


@contextmanager
def serve() -> Iterator[NewSettings]:
    """A server that is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="headwater.", ignore_cleanup_errors=True) as folder:
        port = Path(folder) / "port"
        server = subprocess.Popen([sys.executable, str(SERVER), f"{folder}/data", str(port)])
        try:
            yield _numbered(_port(server, port))
        finally:
            server.kill()
            server.wait()


def _port(server: subprocess.Popen[bytes], file: Path) -> int:
    until_s = time.monotonic() + STARTS_WITHIN_S
    while not file.exists():
        assert server.poll() is None, "the server has ended"
        assert time.monotonic() < until_s, "the server does not start"
        time.sleep(0.05)
    return int(file.read_text())


def _numbered(port: int) -> NewSettings:
    numbers = count()

    def settings(_: Path) -> Settings:
        return {"url": f"http://127.0.0.1:{port}", "database": f"test_{next(numbers)}", "lease": 1}

    return settings


def _spellings() -> Iterator[tuple[str, ColumnType]]:
    """A column that is never null is of another type there, and so is one with few values."""
    for sql_type, kind in DIALECT.types.items():
        for told in (kind, kind.removeprefix("Nullable(").removesuffix(")")):
            yield told, sql_type
            yield f"LowCardinality({told})", sql_type


CLICKHOUSE = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="""
        select name, concat(type, if(comment = 'JSON', ' comment \\'JSON\\'', '')) from system.columns
        where database = currentDatabase() and table = '{table}'""",
    types=dict(_spellings()),
    quoted=DIALECT.name,
    is_transactional=False,
    era=DIALECT.capacity.era,
    examples=10,
)
