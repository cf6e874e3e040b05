"""A connection to Redshift: PostgreSQL's protocol, and S3 for the rows."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import psycopg
from psycopg import errors

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.contract import Table
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.objects.bucket import Bucket
from gateway.warehouses.postgres.session import CLAIMED
from gateway.warehouses.postgres.wire import WireSession
from gateway.warehouses.redshift.settings import RedshiftSettings
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.question import check_first_word
from gateway.warehouses.servers.session import Groundwork, Row

LOCK = "_headwater_lock"
"""A table without rows. Whoever locks it is alone until the transaction ends: others wait."""
READING = frozenset({"select", "with", "show", "explain"})

_HALVES = "i.high = c.high and i.low = c.low"
_KNOWN = f"select c.position from {CLAIMED} c join {IDS} i on {_HALVES}"
_CLAIM = f"""
    insert into {IDS} (high, low) select c.high, c.low from {CLAIMED} c
    where not exists (select 1 from {IDS} i where {_HALVES})"""
_REFUSED_BY_COPY = ("Load into table", "Spectrum Scan Error")
"""How messages about rows begin, which have the SQL state of an internal error."""


class RedshiftSession(WireSession):
    """A Session. What it does not say is as with PostgreSQL."""

    server: ClassVar = "Redshift"
    page: ClassVar = "docs/warehouses/redshift.md"
    start_up: ClassVar[dict[str, Any]] = {"client_encoding": "utf8", "prepare_threshold": None}

    def __init__(self, settings: RedshiftSettings) -> None:
        super().__init__(settings)
        self._staging = settings
        self._bucket = Bucket(settings.objects)

    def append(self, table: str, columns: Sequence[str], rows: Path, token: str = "") -> None:  # noqa: ARG002 - for servers without transactions
        """See Session."""
        self._load(table, columns, rows)

    def groundwork(self) -> Groundwork:
        """See Session."""
        locks = [] if LOCK in self.stored() else [f"create table {LOCK} (nothing integer)"]
        return super().groundwork()._replace(locks=locks)

    @contextmanager
    def growing(self) -> Iterator[None]:
        """See Session."""
        if lacking := self.groundwork().statements:
            self._lay(lacking)
        with self.transaction():
            self.judge_alone()
            yield

    def judge_alone(self) -> None:
        """See Session. What the transaction sees is what there is when it reads first, which is after this."""
        self.execute(f"lock table {LOCK}")

    def claim(self, hashes: Path) -> set[int]:
        """See Session. Loads are stored one after the other: the second sees what became of the first."""
        self.judge_alone()
        self.execute(f"create temp table if not exists {CLAIMED} (position bigint, high bigint, low bigint)")
        self.execute(f"delete from {CLAIMED}")
        self._load(CLAIMED, ("position", "high", "low"), hashes)
        known = {position for (position,) in self.fetch(_KNOWN)}
        self.execute(_CLAIM)
        return known

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Session. Some statements end the transaction that does not write, or write elsewhere: none that reads."""
        check_first_word(sql, READING)
        return super().ask(sql, max_rows, timeout_s)

    def _lay(self, statements: Sequence[str]) -> None:
        """Of two gateways that do it at once, one is told that it is there."""
        try:
            with self.transaction():
                for statement in statements:
                    self.execute(statement)
        except (WarehouseError, WarehouseRowError):
            if LOCK not in self.stored():
                raise

    def _load(self, table: str, columns: Sequence[str], file: Path) -> None:
        """By a file in the bucket that is gone afterwards, whatever happens."""
        name = f"{secrets.token_hex(16)}.json.gz"
        self._bucket.put(name, file.read_bytes())
        try:
            self._copy_from(name, table, columns)
        except WarehouseError as error:
            cause = error.__cause__
            if isinstance(cause, errors.InternalError_) and str(cause).startswith(_REFUSED_BY_COPY):
                raise WarehouseRowError(f"Redshift refuses these rows: {error.message}") from error
            raise
        finally:
            with suppress(WarehouseError):
                self._bucket.delete(name)

    def _copy_from(self, name: str, table: str, columns: Sequence[str]) -> None:
        self.execute(copy_statement(self._staging, name, table, columns))

    @contextmanager
    def _reading(self, connection: psycopg.Connection[Row]) -> Iterator[None]:
        connection.execute("begin read only")
        try:
            yield
        finally:
            with suppress(psycopg.Error):
                connection.execute("rollback")

    def _connect(self) -> psycopg.Connection[Row]:
        connection = super()._connect()
        connection.execute("set timezone = 'UTC'")
        return connection


def copy_statement(settings: RedshiftSettings, name: str, table: str, columns: Sequence[str]) -> str:
    """COPY of a staged file. What is nested in it is for columns of SUPER."""
    target = f"{quoted(table)} ({', '.join(map(quoted, columns))})"
    source = literal(f"{settings.staging.rstrip('/')}/{name}")
    role = "default" if settings.iam_role == "default" else literal(settings.iam_role)
    region = f" region {literal(settings.region)}" if settings.region else ""
    return (
        f"copy {target} from {source} iam_role {role}{region}"
        " format json 'auto' gzip timeformat 'auto' compupdate off statupdate off"
    )
