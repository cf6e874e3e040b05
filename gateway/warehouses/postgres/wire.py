"""A connection to a server that speaks as PostgreSQL does, by psycopg."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, ClassVar

import psycopg
from psycopg import errors
from psycopg.types.string import TextLoader

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.contract import Table
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.postgres.settings import WireSettings
from gateway.warehouses.servers.session import Groundwork, Row, Stored

TRIES = 3
"""Of a question that another gateway stands in the way of."""
GROWING, JUDGING = 1, 2
"""What another gateway waits for: numbers of advisory locks."""
_STORED = """
    select c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = {} and c.relkind in ('r', 'p', 'v', 'm', 'f') and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum"""
_MAY_MAKE_SCHEMAS = "has_database_privilege(current_database(), 'create')"
_ROWS_AT_FAULT = (errors.DataError, errors.IntegrityError, errors.ProgramLimitExceeded, errors.TooManyColumns)


class WireSession:
    """What is the same in all Sessions with such a server. Every statement but those of `ask` is trusted."""

    server: ClassVar = "PostgreSQL"
    page: ClassVar = "docs/warehouses/postgres.md"
    start_up: ClassVar[dict[str, Any]] = {"options": "-c timezone=UTC -c client_min_messages=warning"}

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._connection: psycopg.Connection[Row] | None = None

    def fetch(self, sql: str) -> list[Row]:
        """See Session."""
        with self._connected() as connection:
            return connection.execute(sql.encode()).fetchall()

    def execute(self, sql: str) -> int:
        """See Session."""
        with self._connected() as connection:
            return max(connection.execute(sql.encode()).rowcount, 0)

    def remove(self, sql: str) -> int:
        """See Session."""
        return self.execute(sql)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Session."""
        with self._connected() as connection, connection.transaction():
            yield

    def groundwork(self) -> Groundwork:
        """See Session."""
        return Groundwork([] if self._has_schema() else [f"create schema {quoted(self._settings.schema_name)}"])

    @property
    def entry(self) -> str:
        """See Session."""
        return f"set search_path = {quoted(self._settings.schema_name)}"

    @contextmanager
    def growing(self) -> Iterator[None]:
        """See Session."""
        with self.transaction():
            self._alone(GROWING)
            for statement in self.groundwork().statements:
                self.execute(statement)
            yield

    def judge_alone(self) -> None:
        """See Session."""
        self._alone(JUDGING)

    def stored(self) -> Stored:
        """See Session."""
        tables: Stored = {}
        for table, column, kind in self.fetch(_STORED.format(literal(self._settings.schema_name))):
            tables.setdefault(table, {})[column] = kind
        return tables

    def check_rights(self) -> None:
        """See Session."""
        settings, schema = self._settings, literal(self._settings.schema_name)
        asked = _may_use(schema) if self._has_schema() else _MAY_MAKE_SCHEMAS
        ((may,),) = self.fetch(f"select {asked}")
        if not may:
            raise WarehouseError(
                f"{settings.user} may make no tables in the schema {settings.schema_name}", hint=self._grant
            )

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Session. A gateway that changes tables may meet the question in the middle: it is asked once more."""
        for _ in range(TRIES - 1):
            try:
                return self._ask(sql, max_rows, timeout_s)
            except WarehouseError as error:
                if not isinstance(error.__cause__, errors.DeadlockDetected):
                    raise
        return self._ask(sql, max_rows, timeout_s)

    def close(self) -> None:
        """See Session."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """The protocol that is used takes one statement, and the transaction does not write."""
        try:
            with self._connected() as connection, self._reading(connection):
                connection.execute(f"set local statement_timeout = {round(timeout_s * 1000)}".encode())
                with connection.cursor() as cursor, closing(cursor.stream(sql.encode())) as answer:  # type: ignore[type-var]  # it is a generator
                    rows = list(islice(answer, max_rows + 1))
                    columns = [column.name for column in cursor.description or ()]
                columns = columns or _columns(connection, sql)
        except WarehouseRowError as error:
            raise WarehouseError(error.message) from error
        except WarehouseError as error:
            if isinstance(error.__cause__, errors.QueryCanceled):
                raise WarehouseError(
                    f"the query took longer than {timeout_s:g} s", hint="ask for less, or allow more with --timeout"
                ) from error
            raise
        return Table(columns, rows[:max_rows], truncated=len(rows) > max_rows)

    @contextmanager
    def _reading(self, connection: psycopg.Connection[Row]) -> Iterator[None]:
        """A transaction that does not write, and is undone."""
        with connection.transaction(force_rollback=True):
            connection.execute("set transaction read only")
            yield

    def _alone(self, number: int) -> None:
        schema = literal(self._settings.schema_name)
        self.fetch(f"select pg_advisory_xact_lock({number}, hashtext({schema}))")

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Row]]:
        """The connection, which is made where there is none; one that broke is not used again."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            yield self._connection
        except _ROWS_AT_FAULT as error:
            raise WarehouseRowError(f"{self.server} refuses these rows: {_said(error)}") from error
        except psycopg.Error as error:
            if self._connection is not None and self._connection.broken:
                self.close()
            raise WarehouseError(f"{self.server}: {_said(error)}", hint=self._hint(error)) from error

    def _has_schema(self) -> bool:
        return bool(self.fetch(f"select 1 from pg_namespace where nspname = {literal(self._settings.schema_name)}"))

    @property
    def _grant(self) -> str:
        schema, user = self._settings.schema_name, self._settings.user
        return f"run as an owner of the database: create schema {schema} authorization {user}"

    def _connect(self) -> psycopg.Connection[Row]:
        settings = self._settings
        connection = psycopg.connect(
            host=settings.host,
            port=settings.port,
            dbname=settings.database,
            user=settings.user,
            password=settings.password.get_secret_value() if settings.password else None,
            sslmode=settings.sslmode,
            sslrootcert=str(settings.ssl_root_certificate) if settings.ssl_root_certificate else None,
            connect_timeout=max(1, round(settings.timeout)),
            application_name="headwater",
            autocommit=True,
            **self.start_up,
        )
        for kind in ("json", "jsonb"):
            connection.adapters.register_loader(kind, TextLoader)
        connection.execute(self.entry.encode())
        return connection

    def _hint(self, error: psycopg.Error) -> str:
        settings = self._settings
        if isinstance(error, errors.InsufficientPrivilege):
            return self._grant
        if error.sqlstate is None or error.sqlstate.startswith(("08", "28", "3D")):
            return f"check that {settings.user} can connect to {settings.database} at {settings.host}:{settings.port}"
        if isinstance(error, errors.DiskFull):
            return "make room on the server's disk; nothing is lost meanwhile"
        return f"it is tried again; see {self.page}"


def _may_use(schema: str) -> str:
    return " and ".join(f"has_schema_privilege({schema}, '{right}')" for right in ("create", "usage"))


def _columns(connection: psycopg.Connection[Row], sql: str) -> list[str]:
    """Of a query: an answer that streams has none before its first row."""
    connection.pgconn.prepare(b"", sql.encode())
    described = connection.pgconn.describe_prepared(b"")
    return [(described.fname(number) or b"").decode() for number in range(described.nfields)]


def _said(error: psycopg.Error) -> str:
    """Without the row: a line of COPY holds what a visitor sent."""
    message: Any = error.diag.message_primary
    return str(message or str(error).strip().partition("\n")[0])
