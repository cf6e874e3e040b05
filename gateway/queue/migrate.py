"""Brings a database to the schema of this version. Forward only: each script runs once, in a transaction of its own."""

import sqlite3
from collections.abc import Mapping

from gateway.model.errors import QueueError


def migrate(connection: sqlite3.Connection, scripts: Mapping[int, str]) -> None:
    """Run the scripts that `user_version` says are missing. Raises QueueError if a newer version wrote the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > max(scripts):
        raise QueueError(
            f"the queue was written by a newer version of Headwater (schema {version}, this one knows {max(scripts)})",
            hint="start the newer version again, or move the directory of the queue away",
        )
    for number, script in scripts.items():
        if number > version:
            _run(connection, number, script)


def _run(connection: sqlite3.Connection, number: int, script: str) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise
