"""bqemulator as a server, on the two ports that are given: BigQuery's REST API and SQL, and its Storage Write API.

What it lacks of the real one, as far as the tests need it, is added here. It runs in an environment of its own, and has
a home directory of its own, into which its extensions are unpacked.
"""

import asyncio
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

import sqlglot
from bqemulator.api import app
from bqemulator.api.routes import jobs, upload
from bqemulator.catalog import ddl_sync
from bqemulator.config import Settings
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.server import EmulatorServer
from bqemulator.sql import inner_query
from bqemulator.storage.sql_identifiers import quoted_table_ref
from bqemulator.versioning.snapshots import SnapshotManager
from duckdb_extensions import import_extension
from sqlglot import exp
from sqlglot.errors import TokenError
from starlette.responses import JSONResponse

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

COLUMNS = re.compile(r"(?:`?([\w-]+)`?\.`?(\w+)`?\.)?`?INFORMATION_SCHEMA\.COLUMNS`?")
DATASET = re.compile(rb'"defaultDataset":\{[^}]*"datasetId":"(\w+)"')
TYPES = {
    "BIGINT": "INT64",
    "BOOLEAN": "BOOL",
    "DOUBLE": "FLOAT64",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "VARCHAR": "STRING",
}
JOB = re.compile(rb'"jobId":"(\w+)"')
FORBIDDEN = "forbidden"
"""A dataset for which nobody has a right."""

uploaded: ContextVar[str] = ContextVar("uploaded")
assumed: ContextVar[str] = ContextVar("assumed", default="")
"""The dataset of tables without one."""


def expand(sql: str, project: str, catalog: Any) -> str:
    """What columns there are is asked of DuckDB, which knows of those that were added, and of JSON."""
    kinds = " ".join(f"when '{kind}' then '{told}'" for kind, told in TYPES.items())

    def columns(found: re.Match[str]) -> str:
        return f"""(select table_name, column_name, column_index as ordinal_position,
            case data_type {kinds} else data_type end as data_type
            from duckdb_columns() where schema_name = '{found[1] or project}__{found[2] or assumed.get()}')"""

    return original_expand(COLUMNS.sub(columns, sql), project, catalog)


async def execute(*arguments: Any, **named: Any) -> Any:
    """One job after the other: nobody sees what a transaction has not committed."""
    async with turn:
        return await execute_alone(*arguments, **named)


async def execute_alone(project: str, job: str, sql: str, parameters: Any, context: Any, **named: Any) -> Any:
    """Several columns may be added at once; what cannot be read is a fault of the statement."""
    try:
        statements = sqlglot.parse(sql, read="bigquery")
    except TokenError as error:
        raise InvalidQueryError(f"Syntax error: {str(error).splitlines()[0]}") from error
    except sqlglot.errors.ParseError:
        statements = []
    if len(statements) != 1 or not isinstance(statements[0], exp.Alter):
        return await original_execute(project, job, sql, parameters, context, **named)
    alter = statements[0]
    table, actions = alter.this, alter.args["actions"]
    target = quoted_table_ref(table.catalog, table.db, table.name)
    for action in actions:
        context.engine.execute(f"alter table {target} add column {action.sql('duckdb')}")
    alter.set("actions", actions[-1:])
    answer = await original_execute(project, job, alter.sql("bigquery"), parameters, context, **named)
    known = context.catalog.get_table(table.catalog, table.db, table.name)
    schema = ddl_sync._introspect_schema(table.catalog, table.db, table.name, context)
    context.catalog.update_table(known.model_copy(update={"schema_": schema}))
    return answer


async def preview(**named: Any) -> dict[str, Any]:
    """A script is not run to find out what it is."""
    try:
        statements = [each for each in sqlglot.parse(named["bq_sql"], read="bigquery") if each is not None]
    except sqlglot.errors.SqlglotError:
        statements = []
    if len(statements) > 1:
        return {"statementType": "SCRIPT", "schema": {"fields": []}}
    return await original_preview(**named)


class Jobs:
    """A job is run once, and called as it was asked to be; nobody has a right for some datasets."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._seen: set[bytes] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body = await whole(receive)
        refusal = self._refusal(scope, body)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        is_sent = False

        async def again() -> Message:
            nonlocal is_sent
            if is_sent:
                return await receive()
            is_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._inner(scope, again, send)

    def _refusal(self, scope: Message, body: bytes) -> JSONResponse | None:
        if f"/{FORBIDDEN}" in scope["path"] or f'"datasetId":"{FORBIDDEN}"'.encode() in body:
            return refused(403, "accessDenied", "Access Denied: User does not have bigquery.datasets.get permission")
        job, dataset = JOB.search(body), DATASET.search(body)
        assumed.set(dataset[1].decode() if dataset else "")
        if scope["method"] != "POST" or not scope["path"].endswith("/jobs") or job is None:
            return None
        if job[1] in self._seen:
            return refused(409, "duplicate", f"Already Exists: Job {job[1].decode()}")
        self._seen.add(job[1])
        uploaded.set(job[1].decode())
        return None


async def whole(receive: Receive) -> bytes:
    """The body of a request."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def refused(status: int, reason: str, said: str) -> JSONResponse:
    """As BigQuery writes it."""
    return JSONResponse({"error": {"code": status, "message": said, "errors": [{"reason": reason}]}}, status)


def create_app(context: Any) -> Any:
    """The emulator's, behind what is added here."""
    made = original_create_app(context)
    made.add_middleware(Jobs)
    return made


turn = asyncio.Lock()
original_expand, inner_query.expand_information_schema = inner_query.expand_information_schema, expand
original_execute, jobs.execute_query_job = jobs.execute_query_job, execute
original_preview, jobs._dry_run_response = jobs._dry_run_response, preview
original_create_app = app.create_app
sys.modules["bqemulator.server"].create_app = create_app
upload._new_job_id = uploaded.get
SnapshotManager.capture = lambda *_, **__: None
"""Nobody asks for the past, and a copy of a table after each change takes long."""


def end_with_the_test() -> None:
    """However it ends: whoever started this holds the other end of its standard input."""
    sys.stdin.read()
    os._exit(0)


async def serve(rest_port: int, grpc_port: int) -> None:
    """Until the process is killed."""
    server = EmulatorServer(Settings(rest_port=rest_port, grpc_port=grpc_port, log_level="error"))
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    threading.Thread(target=end_with_the_test, daemon=True).start()
    for extension in ("spatial", "avro"):
        import_extension(extension)
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
