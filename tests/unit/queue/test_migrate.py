"""The schema moves forward from every version that ever was, and each query fits the newest."""

import re
import sqlite3
from importlib.resources import files

import pytest

from gateway.model.errors import QueueError
from gateway.queue.migrate import migrate
from gateway.queue.statements import migrations, named_queries

TOPICS = sorted(entry.name[:-4] for entry in (files("gateway.queue") / "sql").iterdir() if entry.name.endswith(".sql"))


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def schema(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()


def test_versions_are_numbered_without_gaps():
    assert list(migrations()) == list(range(1, len(migrations()) + 1))


@pytest.mark.parametrize("version", range(len(migrations()) + 1))
def test_every_older_schema_becomes_the_newest(connection: sqlite3.Connection, version: int):
    scripts = migrations()
    if version:
        migrate(connection, {number: script for number, script in scripts.items() if number <= version})
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh, scripts)

    migrate(connection, scripts)

    assert connection.execute("PRAGMA user_version").fetchone() == (len(scripts),)
    assert schema(connection) == schema(fresh)
    fresh.close()


def test_rows_survive_a_migration(connection: sqlite3.Connection):
    scripts = dict(migrations())
    migrate(connection, scripts)
    connection.execute("INSERT INTO chunk_ids VALUES (5, 6, x'00')")

    migrate(connection, scripts | {max(scripts) + 1: "ALTER TABLE chunk_ids ADD COLUMN note TEXT;"})

    assert connection.execute("SELECT * FROM chunk_ids").fetchall() == [(5, 6, b"\0", None)]


def test_a_migration_that_fails_leaves_the_version_before_it(connection: sqlite3.Connection):
    scripts = dict(migrations())
    broken = scripts | {max(scripts) + 1: "CREATE TABLE more (id INTEGER); CREATE TABLE chunks (id INTEGER);"}

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(connection, broken)

    assert connection.execute("PRAGMA user_version").fetchone() == (max(scripts),)
    assert not connection.in_transaction
    assert "more" not in {name for _, name, _ in schema(connection)}


def test_a_newer_database_is_refused_in_words(connection: sqlite3.Connection):
    connection.execute("PRAGMA user_version = 1000")

    with pytest.raises(QueueError, match="newer version of Headwater"):
        migrate(connection, migrations())


@pytest.mark.parametrize("topic", TOPICS)
def test_every_query_fits_the_schema(connection: sqlite3.Connection, topic: str):
    migrate(connection, migrations())
    queries = named_queries(topic)
    assert queries
    for sql in queries.values():
        named = dict.fromkeys(re.findall(r":([a-z_]+)", sql), 0)
        connection.execute(f"EXPLAIN {sql}", named or (0,) * sql.count("?"))
