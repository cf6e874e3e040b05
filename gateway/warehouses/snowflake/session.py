"""A connection to Snowflake, by its own driver."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from math import ceil
from pathlib import Path

from snowflake.connector import SnowflakeConnection
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import Error

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.contract import Table
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.session import Groundwork, Row, Stored
from gateway.warehouses.snowflake import question
from gateway.warehouses.snowflake.connection import CLAIMED, CLAIMED_TYPES, FILES, LOCK, connect, groundwork, make_room
from gateway.warehouses.snowflake.dialect import DIALECT
from gateway.warehouses.snowflake.settings import SnowflakeSettings
from gateway.warehouses.values import ColumnType

_JSON = DIALECT.types[ColumnType.JSON]
_KNOWN = DIALECT.sql(f"""
    select c.[position] from [{CLAIMED}] c join [{IDS}] i on i.[high] = c.[high] and i.[low] = c.[low]""")
_CLAIM = DIALECT.sql(f"""
    insert into [{IDS}] ([high], [low]) select c.[high], c.[low] from [{CLAIMED}] c
    where not exists (select 1 from [{IDS}] i where i.[high] = c.[high] and i.[low] = c.[low])""")
_STORED = """
    select table_name, column_name, case data_type
            when 'NUMBER' then 'NUMBER(' || numeric_precision::varchar || ',' || numeric_scale::varchar || ')'
            when 'TEXT' then 'VARCHAR' else data_type end
    from information_schema.columns where table_schema = {schema} and table_name <> {claimed}
    order by table_name, ordinal_position"""
_BEYOND = r"-?([0-9.]{39,}([eE][-+]?[0-9]+)?|[0-9.]+[eE][-+]?[0-9]{3,})"
_AS_TEXTS = ", ".join(map(DIALECT.literal, (rf"((:|,|[[])[[:space:]]*)({_BEYOND})", r'\1"\3"')))
"""Numbers with more digits than Snowflake keeps, or beyond its own, and the texts that they become."""
_PARQUET = "file_format = (type = parquet use_logical_type = true)"
_TIMED_OUT, _NO_WAREHOUSE = 630, 606
_UNREACHABLE = ("08", "HYT")
"""How SQL states begin when the line broke, or nobody answered in time."""
_ROWS_AT_FAULT = "22"
"""The class of SQL states for data, but for those that are about parameters."""
_PARAMETERS = "22023"


class SnowflakeSession:
    """A Session. Every statement but those of `ask` is trusted."""

    def __init__(self, settings: SnowflakeSettings) -> None:
        self._settings = settings
        self._connection: SnowflakeConnection | None = None
        self._types: Stored = {}

    def fetch(self, sql: str) -> list[Row]:
        """See Session."""
        with self._ran(sql) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def execute(self, sql: str) -> int:
        """See Session."""
        with self._ran(sql) as cursor:
            return max(cursor.rowcount or 0, 0)

    def remove(self, sql: str) -> int:
        """See Session."""
        return self.execute(sql)

    def append(self, table: str, columns: Sequence[str], rows: Path, token: str = "") -> None:  # noqa: ARG002 - for servers without transactions
        """See Session."""
        if not self._types.get(table, {}).keys() >= set(columns):
            self.stored()
        self._copy(table, {name: self._types[table][name] for name in columns}, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Session. What ends otherwise than well leaves no transaction behind."""
        self.execute("begin")
        try:
            yield
            self.execute("commit")
        except BaseException:
            self._roll_back()
            raise

    def groundwork(self) -> Groundwork:
        """See Session."""
        with self._driven() as connection, connection.cursor() as cursor:
            return groundwork(cursor, self._settings.schema_name)

    @property
    def entry(self) -> str:
        """See Session."""
        return f"use schema {DIALECT.name(self._settings.schema_name)}"

    @contextmanager
    def growing(self) -> Iterator[None]:
        """See Session. A change of the schema ends its own transaction, so it is another connection that waits."""
        lacking = self.groundwork()
        with self._driven() as connection, connection.cursor() as cursor:
            for statement in lacking.schema:
                cursor.execute(statement)
                make_room(cursor, self._settings.schema_name)
            for statement in lacking.locks:
                cursor.execute(statement)
        with closing(SnowflakeSession(self._settings)) as guard, guard.transaction():
            guard.judge_alone()
            yield

    def judge_alone(self) -> None:
        """See Session."""
        self.execute(f"update {DIALECT.name(LOCK)} set {DIALECT.name('turns')} = {DIALECT.name('turns')} + 1")

    def stored(self) -> Stored:
        """See Session. Names in upper case are those that we write in lower case."""
        tables: Stored = {}
        schema, claimed = (DIALECT.literal(name.upper()) for name in (self._settings.schema_name, CLAIMED))
        for table, column, kind in self.fetch(_STORED.format(schema=schema, claimed=claimed)):
            tables.setdefault(_as_written(table), {})[_as_written(column)] = kind
        self._types = tables
        return tables

    def check_rights(self) -> None:
        """See Session. Whether tables may be made, Snowflake tells only when one is."""
        settings = self._settings
        if self.fetch("select current_database()") == [(None,)]:
            raise WarehouseError(
                f"the database {settings.database} is not there, or the role may not use it",
                hint=f"grant usage on database {settings.database} to role {settings.role or 'ROLE'}",
            )
        self.fetch("select count(*) from table(generator(rowcount => 1))")

    def claim(self, hashes: Path) -> set[int]:
        """See Session. Loads are stored one after the other: the second sees what became of the first."""
        self.judge_alone()
        self.execute(f"delete from {DIALECT.name(CLAIMED)} where 1 = 1")
        self._copy(CLAIMED, CLAIMED_TYPES, hashes)
        known = {position for (position,) in self.fetch(_KNOWN)}
        self.execute(_CLAIM)
        return known

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Session."""
        question.check(sql)
        self.execute(f"alter session set statement_timeout_in_seconds = {max(1, ceil(timeout_s))}")
        self.execute("begin")
        try:
            with self._ran(sql) as cursor:
                rows = cursor.fetchmany(max_rows + 1)
                columns = [column[0].lower() for column in cursor.description or ()]
        except WarehouseRowError as error:
            raise WarehouseError(error.message) from error
        except WarehouseError as error:
            if getattr(error.__cause__, "errno", None) == _TIMED_OUT:
                raise WarehouseError(
                    f"the query took longer than {timeout_s:g} s", hint="ask for less, or allow more with --timeout"
                ) from error
            raise
        finally:
            self._roll_back()
        return Table(columns, [tuple(row) for row in rows[:max_rows]], truncated=len(rows) > max_rows)

    def close(self) -> None:
        """See Session."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Error):
                connection.close()

    def _copy(self, table: str, types: Mapping[str, str], file: Path) -> None:
        """Into the stage, and from there into the table, whatever Snowflake remembers of a file of this name."""
        path = DIALECT.literal(f"file://{file}")
        self.execute(f"put {path} @{FILES} auto_compress = false overwrite = true")
        values = ", ".join(_value(name, kind) for name, kind in types.items())
        self.execute(
            f"copy into {DIALECT.name(table)} ({DIALECT.names(list(types))})"
            f" from (select {values} from @{FILES}/{file.name}) {_PARQUET} force = true purge = true"
        )

    def _roll_back(self) -> None:
        """Where that is impossible, the connection is given up, and with it the transaction."""
        if self._connection is None:
            return
        try:
            self.execute("rollback")
        except (WarehouseError, WarehouseRowError):
            self.close()

    @contextmanager
    def _ran(self, sql: str) -> Iterator[SnowflakeCursor]:
        """A cursor with the answer."""
        with self._driven() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            yield cursor

    @contextmanager
    def _driven(self) -> Iterator[SnowflakeConnection]:
        """The connection, which is made where there is none; one that broke is not used again."""
        try:
            if self._connection is None:
                self._connection = connect(self._settings)
            yield self._connection
        except Error as error:
            if not error.sqlstate or error.sqlstate.startswith(_UNREACHABLE):
                self.close()
            if _is_of_rows(error):
                raise WarehouseRowError(f"Snowflake refuses these rows: {_said(error)}") from error
            raise WarehouseError(f"Snowflake: {_said(error)}", hint=self._hint(error)) from error

    def _hint(self, error: Error) -> str:
        settings = self._settings
        if getattr(error, "errno", None) == _NO_WAREHOUSE:
            return f"grant usage on warehouse {settings.warehouse} to role {settings.role or 'ROLE'}"
        if error.sqlstate == "42501":
            return f"grant create schema on database {settings.database} to the role, and usage on {settings.warehouse}"
        if not error.sqlstate or error.sqlstate.startswith(_UNREACHABLE):
            return f"check the account, and that {settings.user} has this key; see docs/warehouses/snowflake.md"
        return "it is tried again; see docs/warehouses/snowflake.md"


def _value(name: str, kind: str) -> str:
    """What a file has in a column, as it is stored. What Snowflake does not take for JSON stays a text."""
    if kind == _JSON:
        text = f'$1:"{name}"::VARCHAR'
        return f"coalesce(try_parse_json(regexp_replace({text}, {_AS_TEXTS})), to_variant({text}))"
    return f'$1:"{name}"::{kind}'


def _as_written(name: str) -> str:
    return name.lower() if name == name.upper() else name


def _is_of_rows(error: Error) -> bool:
    state = error.sqlstate or ""
    return state.startswith(_ROWS_AT_FAULT) and state != _PARAMETERS


def _said(error: Error) -> str:
    """The first line: what follows may hold what a visitor sent."""
    return str(error.msg or error).strip().partition("\n")[0]
