"""One read-only question to the file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Table
from gateway.warehouses.duckdb.engine import Engine

_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def ask(engine: Engine, sql: str, max_rows: int, timeout_s: float) -> Table:
    """The answer to one statement. Blocking.

    The transaction is read-only, and the engine opens no other file. Raises WarehouseError with DuckDB's message.
    """
    with engine.attached() as connection:
        try:
            with _interrupted_after(connection, timeout_s):
                return _answer(connection, sql, max_rows)
        except duckdb.InterruptException as error:
            raise WarehouseError(
                f"the query took longer than {timeout_s:g} s", hint="ask for less, or allow more with --timeout"
            ) from error
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from error


def _answer(connection: duckdb.DuckDBPyConnection, sql: str, max_rows: int) -> Table:
    statement = _only_statement(connection, sql)
    connection.execute("begin transaction read only")
    answer = connection.execute(statement)
    columns = [column[0] for column in answer.description or ()]
    rows = answer.fetchmany(max_rows + 1)
    connection.rollback()
    return Table(columns, rows[:max_rows], truncated=len(rows) > max_rows)


def _only_statement(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in _READING:
        raise WarehouseError(
            "only one statement that reads is allowed", hint="start it with select, from, with, describe or explain"
        )
    return statements[0]


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, timeout_s: float) -> Iterator[None]:
    timer = threading.Timer(timeout_s, connection.interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
