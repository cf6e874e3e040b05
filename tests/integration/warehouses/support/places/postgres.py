"""PostgreSQL: a real server for the session, at a Unix socket of its own; a schema for each test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from gateway.warehouses.postgres import POSTGRES as KIND
from gateway.warehouses.postgres.dialect import DIALECT
from tests.integration.warehouses.support.places.place import NewSettings, PlaceKind, Settings

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
ALONE = "-c listen_addresses= -c max_connections=50 -c lc_messages=C"
HASTY = f"{ALONE} -c fsync=off -c full_page_writes=off"
"""Processes are killed in these tests, the machine is not."""


@contextmanager
def serve(switches: str = HASTY) -> Iterator[NewSettings]:
    """A server that is gone at the end. It refuses to run as root, who therefore runs it as somebody else."""
    owner = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="headwater.") as folder:
        if owner is not None:
            shutil.chown(folder, owner)
        _run(
            owner, "initdb", "-D", f"{folder}/data", "-U", "headwater", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        server = ["-D", f"{folder}/data", "-l", f"{folder}/log", "-o", f"-k {folder} {switches}"]
        _run(owner, "pg_ctl", "start", "--wait", *server)
        try:
            yield _numbered(folder)
        finally:
            _run(owner, "pg_ctl", "stop", "-m", "immediate", "-D", f"{folder}/data")


def server(settings: Settings) -> int:
    """The process that all others of the server come from."""
    return int(Path(settings["host"], "data", "postmaster.pid").read_text().split()[0])


def _numbered(socket: str) -> NewSettings:
    numbers = count()

    def settings(_: Path) -> Settings:
        return {"host": socket, "database": "postgres", "user": "headwater", "schema": f"test_{next(numbers)}"}

    return settings


def _run(owner: str | None, program: str, *arguments: str) -> None:
    """As that user, who may not see where the tests run."""
    command = [str(PROGRAMS / program), *arguments]
    subprocess.run(command, user=owner, cwd="/", check=True, stdout=subprocess.DEVNULL)


POSTGRES = PlaceKind(
    kind=KIND,
    serve=serve,
    columns="""
        select column_name, data_type from information_schema.columns
        where table_schema = current_schema() and table_name = '{table}'""",
    types={sql_type: kind for kind, sql_type in DIALECT.types.items()},
    quoted=DIALECT.name,
    examples=30,
)
