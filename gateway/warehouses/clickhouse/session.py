"""A ClickHouse server over HTTP."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.model.errors import WarehouseError
from gateway.warehouses.clickhouse.answers import Answer, rows_of
from gateway.warehouses.clickhouse.dialect import JSON_COMMENT, nullable
from gateway.warehouses.clickhouse.http import (
    ANSWERS,
    TIMEOUT,
    Http,
    Parameters,
    RefusedError,
    Upload,
    at_fault,
)
from gateway.warehouses.clickhouse.lease import LEASES, Lease, create_leases
from gateway.warehouses.clickhouse.settings import ClickHouseSettings
from gateway.warehouses.contract import Table
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.session import Groundwork, Row, Stored

_READING: Parameters = {
    "final": 1,
    "do_not_merge_across_partitions_select_final": 1,
    "optimize_move_to_prewhere_if_final": 1,
}
"""Of rows that take each other's place the last is read; an event is in one partition only."""
_WRITING: Parameters = {"mutations_sync": 2, "lightweight_deletes_sync": 2, "alter_sync": 2, "async_insert": 0}
"""What is answered is done."""
_AS_SENT: Parameters = {"optimize_on_insert": 0}
"""Rows of one insert never take each other's place, so nobody needs to look."""
RIGHTS = ("select", "insert", "alter", "create table", "create view", "drop table", "drop view", "truncate")
"""In the database of the warehouse."""
_DELETE = re.compile(r"delete (from .*)", re.DOTALL)
_CLAIMED = """
    select position from claimed where (high, low) in (
        select high, low from {ids} where high in (select high from claimed))"""
_STORED = "select table, name, type, comment from system.columns where database = {} order by table, position"


class ClickHouseSession:
    """A Session. Every statement but those of `ask` is trusted."""

    def __init__(self, settings: ClickHouseSettings) -> None:
        self._settings = settings
        self._http = Http(settings)
        self._lease = Lease(lambda: Http(settings), settings.lease)
        self._depth = 0
        """How many transactions are in each other."""
        self._is_known = False

    def fetch(self, sql: str) -> list[Row]:
        """See Session."""
        return self._asked(sql, _READING).rows

    def execute(self, sql: str) -> int:
        """See Session. The server does not tell how many rows it removes, so they are counted before."""
        self._ensure_alone()
        delete = _DELETE.fullmatch(sql)
        rows = int(self._asked(f"select count() {delete[1]}", _READING).rows[0][0]) if delete else 0
        if rows or delete is None:
            self._asked(sql, _WRITING)
        return rows

    def remove(self, sql: str) -> int:
        """See Session."""
        return self.execute(sql)

    def append(self, table: str, columns: Sequence[str], rows: Path, token: str = "") -> None:
        """See Session."""
        self._ensure_alone()
        listed = ", ".join(map(quoted, columns))
        once: Parameters = (
            {"insert_deduplicate": 1, "insert_deduplication_token": token} if token else {"insert_deduplicate": 0}
        )
        try:
            self._http.insert(
                f"insert into {quoted(table)} ({listed}) format Parquet", rows, {**_WRITING, **_AS_SENT, **once}
            )
        except RefusedError as error:
            raise (at_fault(error, [table]) or error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See Session. Nothing is taken back, but no other gateway writes."""
        if self._depth == 0:
            self._make_known()
            self._lease.take()
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._lease.give_back()

    def groundwork(self) -> Groundwork:
        """See Session."""
        settings = self._settings
        has_database = self._catalogue("select 1 from system.databases where name = {}")
        database = [] if has_database else [f"create database if not exists {quoted(settings.database)}"]
        has_leases = LEASES in self.stored()
        leases = [] if has_leases else [create_leases(settings.database, settings.engine_prefix)]
        return Groundwork(database, leases)

    @property
    def entry(self) -> str:
        """See Session."""
        return f"use {quoted(self._settings.database)}"

    @contextmanager
    def growing(self) -> Iterator[None]:
        """See Session."""
        with self.transaction():
            yield

    def judge_alone(self) -> None:
        """See Session. Whoever writes is alone."""
        self._ensure_alone()

    def stored(self) -> Stored:
        """See Session."""
        tables: Stored = {}
        for table, column, kind, comment in self._catalogue(_STORED):
            told = nullable(kind) + (JSON_COMMENT if comment == "JSON" else "")
            tables.setdefault(table, {})[column] = told
        return tables

    def check_rights(self) -> None:
        """See Session."""
        settings = self._settings
        database = quoted(settings.database)
        wanted = [f"{right} on {database}.*" for right in RIGHTS]
        if not self._catalogue("select 1 from system.databases where name = {}"):
            wanted.append(f"create database on {database}.*")
        refused = [right for right in wanted if not self._catalogue(f"check grant {right}")[0][0]]
        if refused:
            raise WarehouseError(
                f"{settings.user} may not do all that a load does in {settings.database}",
                hint=f"grant {refused[0]} to {settings.user}; docs/warehouses/clickhouse.md lists all rights",
            )

    def claim(self, hashes: Path) -> set[int]:
        """See Session."""
        upload = Upload("claimed", "position Int64, high Int64, low Int64", hashes)
        answer = self._http.with_file(_CLAIMED.format(ids=IDS), upload, {})
        return {position for (position,) in rows_of(answer).rows}

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """See Session. The interface takes one statement."""
        bounds: Parameters = {
            "readonly": 2,
            "max_execution_time": timeout_s,
            "max_result_rows": max_rows + 1,
            "result_overflow_mode": "break",
        }
        try:
            told, answer = self._http.run(sql, {**_READING, **bounds}, timeout_s + self._settings.timeout)
        except RefusedError as error:
            if error.code == TIMEOUT:
                raise WarehouseError(
                    f"the query took longer than {timeout_s:g} s", hint="ask for less, or allow more with --timeout"
                ) from error
            raise WarehouseError(error.said) from error
        if answer and told not in ("", ANSWERS):
            raise WarehouseError("the query says in which FORMAT its answer is to be", hint="leave that out")
        columns, rows = rows_of(answer)
        return Table(columns, rows[:max_rows], truncated=len(rows) > max_rows)

    def close(self) -> None:
        """See Session."""
        self._http.close()
        self._lease.close()

    def _asked(self, sql: str, parameters: Parameters | None = None) -> Answer:
        return rows_of(self._http.run(sql, parameters)[1])

    def _catalogue(self, sql: str) -> list[Row]:
        """The answer to a question that can be asked before there is a database, whose name is put where it says so."""
        return self._asked(sql.format(literal(self._settings.database)), {"database": "system"}).rows

    def _ensure_alone(self) -> None:
        if self._depth:
            self._lease.ensure()

    def _make_known(self) -> None:
        """The groundwork is there."""
        if self._is_known:
            return
        for statement in self.groundwork().statements:
            self._http.run(statement, {"database": "system"})
        self._is_known = True
