"""ClickHouse's engine behind its HTTP interface, as far as the gateway uses that: a process of its own.

    python clickhouse_server.py FOLDER PORT_FILE

The engine is the real one (chdb-core), with its data in FOLDER; the port is written to PORT_FILE. Requests are answered
as the server's HTTP handler does it: settings in the URL, the statement there or in the body, rows in the body, a file
as an external table, exception codes in a header.
"""

import asyncio
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web
from chdb.session import Session

OF_HTTP = {"query", "database", "default_format", "wait_end_of_query", "query_id"}
STATUSES = {60: 404, 81: 404, 159: 408, 164: 403, 192: 401, 193: 401, 194: 401, 497: 403, 516: 401}
_CODE = re.compile(r"Code: (\d+)\. ")
_INSERT = re.compile(r"(insert into .* )(format Parquet)", re.DOTALL)


class EngineError(Exception):
    """The engine's answer."""


def text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Engine:
    """Every request has a session of its own, as with the server."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._root = Session(folder)
        """Keeps the engine running."""

    def run(self, request: "Request") -> bytes:
        session = Session(self._folder)
        try:
            with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
                file.write(request.file)
                file.flush()
                return self._run(session, request, file.name)
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        finally:
            session.close()

    def _run(self, session: Session, request: "Request", file: str) -> bytes:
        sql = request.sql
        session.query(f"use `{request.database}`")
        if ";" in sql or not sql.strip():
            session.query(f"select formatQuery({text(sql)})")  # the server takes one statement, and no less
        insert = _INSERT.fullmatch(sql)
        if insert:
            sql = f"{insert[1]} from infile {text(file)} {insert[2]}"
        for name, structure in request.tables.items():
            source = f"file({text(file)}, Parquet, {text(structure)})"
            session.query(f"create temporary table {name} as select * from {source}")
        settings = dict(request.settings)
        readonly = settings.pop("readonly", None)
        for one in (settings, {"readonly": readonly} if readonly else {}):
            if one:
                session.query("set " + ", ".join(f"{name} = {text(value)}" for name, value in one.items()))
        return session.query(sql, request.format).bytes()


class Request:
    """What one request says. `tables` are the structures of those that are in `file`."""

    def __init__(self, parameters: dict[str, str], body: bytes, files: dict[str, bytes]) -> None:
        self.tables = {name: parameters.pop(f"{name}_structure") for name in files}
        for name in files:
            del parameters[f"{name}_format"]
        self.database = parameters.get("database", "default")
        self.format = parameters.get("default_format", "TabSeparated")
        self.settings = {name: value for name, value in parameters.items() if name not in OF_HTTP}
        self.sql = parameters.get("query") or body.decode()
        self.file = next(iter(files.values()), body)


async def answer(request: web.Request) -> web.Response:
    engine: Engine = request.app["engine"]
    files: dict[str, bytes] = {}
    body = b""
    if request.content_type == "multipart/form-data":
        async for part in await request.multipart():
            files[part.name] = bytes(await part.read())
    else:
        body = await request.read()
    asked = Request(dict(request.query), body, files)
    try:
        found = await asyncio.get_running_loop().run_in_executor(request.app["threads"], engine.run, asked)
    except EngineError as error:
        code = int((_CODE.search(str(error)) or [0, 0])[1])
        headers = {"X-ClickHouse-Exception-Code": str(code)}
        return web.Response(status=STATUSES.get(code, 500), text=str(error), headers=headers)
    return web.Response(body=found, headers={"X-ClickHouse-Format": asked.format})


async def serve(folder: str, port_file: Path) -> None:
    app = web.Application(client_max_size=2**30)
    app["engine"] = Engine(folder)
    app["threads"] = ThreadPoolExecutor(16)
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    port_file.with_suffix(".new").write_text(str(port))
    port_file.with_suffix(".new").rename(port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
