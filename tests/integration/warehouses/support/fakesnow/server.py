"""fakesnow as a server, on the port that is given: Snowflake's protocol and SQL, over DuckDB.

What it lacks of the real one, as far as the tests need it, is added here. It runs in an environment of its own.
"""

import importlib
import json
import os
import re
import sys
import threading
import time
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
import uvicorn
from fakesnow import arrow, transforms
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

server, copy_into = (importlib.import_module(f"fakesnow.{name}") for name in ("server", "copy_into"))

LOCKED = re.compile(r'\s*update\s+"_HEADWATER_LOCK"', re.IGNORECASE)
MAKES = re.compile(r"\s*create", re.IGNORECASE)
"""One at a time: what is noted of temporary tables is in one place for all sessions."""
ENDED = re.compile(r"\s*(commit|rollback)", re.IGNORECASE)
ABANDONED_AFTER_S = 5.0
"""A transaction that nobody goes on with is ended when it is in somebody's way. The real one waits five minutes."""


async def log_in(request: Request) -> JSONResponse:
    """The driver of today wants to know more of a session."""
    body = json.loads((await server.login_request(request)).body)
    session = {"masterToken": body["data"]["token"], "validityInSeconds": 3600, "masterValidityInSeconds": 14_400}
    return JSONResponse(body | {"data": body["data"] | session | {"sessionId": len(server.sessions)}})


async def end_session(request: Request) -> JSONResponse:
    """Its transaction ends with it."""
    connection = server.sessions.get(server.to_token(request))
    if connection is not None and request.query_params.get("delete"):
        turns.end(connection)
    return await server.session(request)


def stage_info(request: Request, expression: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The driver refuses an upload without a region; `overwrite` is always asked for."""
    data["overwrite"] = True
    return {**original_stage_info(request, expression, data), "region": "local"}


def times(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A null is a null as a whole, not one in fields that have none."""
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    filled = original_times(values.fill_null(pa.scalar(0, pa.int64()).cast(values.type)))
    return pa.StructArray.from_arrays(filled.flatten(), fields=list(filled.type), mask=values.is_null())


def trim(expression: exp.Expr) -> exp.Expr:
    """The characters to be taken away are not forgotten."""
    return expression if isinstance(expression, exp.Trim) else original_trim(expression)


def strip(query: exp.Select) -> exp.Select:
    """The names of a file's columns may be any word."""
    stripped = original_strip(query)
    for name in stripped.find_all(exp.Identifier):
        name.set("quoted", True)
    return stripped


class Turns:
    """The lock of Snowflake's tables, as far as the one that gateways take turns by."""

    def __init__(self) -> None:
        self._freed = threading.Condition(threading.RLock())
        self._holder: Any = None
        self._used_at = 0.0

    def take(self, connection: Any) -> None:
        """Wait for it."""
        with self._freed:
            while self._holder not in (None, connection):
                if time.monotonic() - self._used_at > ABANDONED_AFTER_S:
                    self.end(self._holder)
                else:
                    self._freed.wait(0.05)
            self._holder = connection

    def end(self, connection: Any) -> None:
        """Undo what its holder has done."""
        with self._freed:
            if self._holder is connection:
                connection._duck_conn.rollback()
                self.give(connection)

    def touch(self) -> None:
        """Somebody does something: the holder, or who goes on with another connection meanwhile."""
        self._used_at = time.monotonic()

    def give(self, connection: Any) -> None:
        """Its transaction is over."""
        with self._freed:
            if self._holder is connection:
                self._holder = None
                self._freed.notify_all()


def execute(cursor: FakeSnowflakeCursor, command: str, *arguments: Any, **named: Any) -> FakeSnowflakeCursor:
    """In turn; and what DuckDB refuses is an error of the statement, not of the server."""
    connection = cursor._conn
    if ";" in command and len(sqlglot.parse(command, read="snowflake")) > 1:
        raise ProgrammingError(msg="Actual statement count did not match the desired one, 1", errno=8, sqlstate="0A000")
    if LOCKED.match(command):
        turns.take(connection)
    turns.touch()
    try:
        if MAKES.match(command):
            with making:
                return original_execute(cursor, command, *arguments, **named)
        return original_execute(cursor, command, *arguments, **named)
    except duckdb.Error as error:
        raise ProgrammingError(msg=str(error), errno=100_132, sqlstate="XX000") from error
    finally:
        turns.touch()
        if ENDED.match(command):
            turns.give(connection)


turns = Turns()
making = threading.Lock()
original_stage_info, server.gcs_stage_info = server.gcs_stage_info, stage_info
original_times, arrow.timestamp_to_sf_struct = arrow.timestamp_to_sf_struct, times
original_trim, transforms.trim_cast_varchar = transforms.trim_cast_varchar, trim
original_strip, copy_into._strip_json_extract = copy_into._strip_json_extract, strip
original_execute, FakeSnowflakeCursor.execute = FakeSnowflakeCursor.execute, execute
server.shared_fs.nop_regexes = [r"(?i)^\s*alter session"]
server.app.router.routes[:0] = [
    Route("/session/v1/login-request", log_in, methods=["POST"]),
    Route("/session", end_session, methods=["POST"]),
]


def end_with_the_test() -> None:
    """However it ends: whoever started this holds the other end of its standard input."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_test, daemon=True).start()
    uvicorn.run(server.app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
