"""Ids are remembered exactly: in memory, in sealed runs, and by the next process."""

import random
import sqlite3

import pytest

from gateway.queue.database import in_transaction
from gateway.queue.dedupe import Dedupe
from gateway.queue.digests import digests_of, position_of, split
from gateway.queue.migrate import migrate
from gateway.queue.statements import migrations

WINDOW_MS = 60_000


@pytest.fixture
def connection():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, migrations())
    yield connection
    connection.close()


def digests(start: int, stop: int) -> list[bytes]:
    return digests_of("web", [f"message-{number}" for number in range(start, stop)], 99)


def seal(dedupe: Dedupe, connection: sqlite3.Connection) -> None:
    in_transaction(connection, dedupe.seal)()


def fill(dedupe: Dedupe, connection: sqlite3.Connection, ids: int, *, at_ms: int = 0) -> None:
    """`ids` consecutive ids, sealed whenever the set in memory is full."""
    for start in range(0, ids, 500):
        dedupe.remember(digests(start, min(start + 500, ids)), at_ms)
        if dedupe.wants_sealing:
            seal(dedupe, connection)


def test_every_id_in_every_run_is_found_and_no_other(connection: sqlite3.Connection):
    dedupe = Dedupe(200_000, WINDOW_MS)
    fill(dedupe, connection, 100_000)

    assert dedupe.seen(connection, digests(0, 100_000)) == set(range(100_000))
    assert dedupe.seen(connection, digests(100_000, 200_000)) == set()


def test_old_and_new_ids_in_one_question_are_told_apart(connection: sqlite3.Connection):
    dedupe = Dedupe(200_000, WINDOW_MS)
    fill(dedupe, connection, 50_000)
    mixed = [*digests(10, 20), *digests(900_000, 900_010), *digests(49_990, 50_000)]

    assert dedupe.seen(connection, mixed) == {*range(10), *range(20, 30)}


def test_the_next_process_knows_the_runs(connection: sqlite3.Connection):
    before = Dedupe(200_000, WINDOW_MS)
    fill(before, connection, 40_000)
    if len(before._recent):
        seal(before, connection)
    after = Dedupe(200_000, WINDOW_MS)

    after.load(connection, sealed_offset=0)

    assert after.seen(connection, digests(0, 41_000)) == set(range(40_000))


def test_at_least_max_ids_are_remembered_and_hardly_more(connection: sqlite3.Connection):
    dedupe = Dedupe(120_000, WINDOW_MS)
    fill(dedupe, connection, 300_000)

    remembered = dedupe.seen(connection, digests(0, 300_000))

    assert set(range(180_000, 300_000)) <= remembered
    assert len(dedupe) <= 120_000 + 2 * 2048
    assert connection.execute("SELECT count(*) FROM dedupe_runs").fetchone()[0] <= 61


def test_a_run_goes_once_its_newest_id_left_the_window(connection: sqlite3.Connection):
    dedupe = Dedupe(10_000, WINDOW_MS)
    dedupe.remember(digests(0, 2000), 1000)
    seal(dedupe, connection)

    assert in_transaction(connection, dedupe.expire, 1000 + WINDOW_MS) is None
    forget = in_transaction(connection, dedupe.expire, 1001 + WINDOW_MS)
    assert forget is not None
    forget()

    assert dedupe.seen(connection, digests(0, 2000)) == set()
    assert connection.execute("SELECT count(*) FROM dedupe_pages").fetchone() == (0,)


def test_a_seal_that_is_not_committed_changes_nothing(connection: sqlite3.Connection):
    dedupe = Dedupe(10_000, WINDOW_MS)
    dedupe.remember(digests(0, 2000), 0)
    connection.execute("BEGIN")
    dedupe.seal(connection)
    connection.execute("ROLLBACK")

    assert dedupe.seen(connection, digests(0, 3000)) == set(range(2000))


def test_without_a_budget_for_ids_nothing_is_a_repeat(connection: sqlite3.Connection):
    dedupe = Dedupe(0, WINDOW_MS)
    dedupe.remember(digests(0, 10), 0)

    assert dedupe.seen(connection, digests(0, 10)) == set()


def test_digests_tell_sources_and_seeds_apart():
    one = digests_of("a", ["x"], 1)
    assert len({*one, *digests_of("b", ["x"], 1), *digests_of("a", ["x"], 2), *digests_of("a", ["y"], 1)}) == 4
    assert digests_of("a", ["x"], 1) == one


def test_an_id_with_a_lone_surrogate_has_a_digest():
    assert digests_of("a", ["\ud800", "x"], 1)[1:] == digests_of("a", ["x"], 1)


def test_a_digest_is_found_at_its_place_only():
    rng = random.Random(5)
    joined = bytes(rng.choice(b"\0\1") for _ in range(16 * 300))
    for index, digest in enumerate(split(joined)):
        assert position_of(digest, joined) == split(joined).index(digest) <= index
    assert position_of(b"\2" * 16, joined) == -1
    assert position_of(joined[1:17], joined) in {-1, *range(300)}
