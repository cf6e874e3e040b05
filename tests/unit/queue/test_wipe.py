"""Deleting rows leaves them in the file; wiping does not."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.queue import database
from gateway.queue.letters import LETTERS
from gateway.queue.migrate import migrate
from gateway.queue.statements import migrations
from gateway.queue.wipe import empty_journal, give_back, lay_anew

WORD = b"ada-reads-this"
ROWS = 3000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A database as the queue opens it, with letters that grew, moved and went, and then every seventh deleted."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        database._prepare(connection, "normal")
        migrate(connection, migrations())
        rng = random.Random(1)
        for number in range(ROWS):
            event = (WORD if number % 7 == 0 else b"of-somebody-else") * rng.randrange(10, 60)
            row = ("hook", 0, number, "m", "web", 1, "retry", "retrying", "e", 1, 1, 1, b"", event)
            connection.execute(LETTERS["insert"], row)
        for number in rng.sample(range(1, ROWS + 1), ROWS // 2):
            values = {"id": number, "attempts": 2, "next_attempt_at_ms": 3, "error": "x" * rng.randrange(900)}
            connection.execute(LETTERS["postpone"], values)
        for number in rng.sample(range(1, ROWS + 1), ROWS // 3):
            if (number - 1) % 7:
                connection.execute(LETTERS["delete"], (number,))
        for number in range(1, ROWS + 1, 7):
            connection.execute(LETTERS["delete"], (number,))
        yield connection


def rows(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT * FROM letters ORDER BY id").fetchall()


def written(path: Path) -> bytes:
    journal = path.with_name(path.name + "-wal")
    return path.read_bytes() + journal.read_bytes()


def test_deleting_alone_leaves_words_in_the_files_also_after_the_journal_is_empty(
    connection: sqlite3.Connection, path: Path
):
    assert WORD in written(path)
    while give_back(connection):
        pass
    empty_journal(connection)
    assert WORD in written(path)


@pytest.mark.parametrize("whole_bytes", [0, 2**40], ids=["table by table", "as a whole"])
def test_after_a_wipe_nothing_is_left_and_every_other_row_is_as_it_was(
    connection: sqlite3.Connection, path: Path, whole_bytes: int
):
    before = rows(connection)

    lay_anew(connection, whole_bytes)
    while give_back(connection):
        pass
    empty_journal(connection)

    assert WORD not in written(path)
    assert rows(connection) == before
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    connection.execute(LETTERS["insert"], ("hook", 0, 1, "m", "web", 1, "dead", "r", "e", 1, 1, 1, b"", b"{}"))
    assert connection.execute(LETTERS["last_id"]).fetchone() == (ROWS + 1,), "ids are never used twice"
