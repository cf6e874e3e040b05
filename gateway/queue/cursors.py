"""The readers of the log: where each stands, and a ledger that adds up.

`delivered + dead + filtered + retrying == next_offset - start_offset` holds for every cursor after every transaction.
Functions here run in the caller's transaction.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.model.errors import QueueError
from gateway.queue.letters import insert_letters
from gateway.queue.records import Cursor, Progress, RetryState
from gateway.queue.statements import named_queries

CURSORS = named_queries("cursors")
LOG = named_queries("log")


def all_cursors(connection: sqlite3.Connection) -> list[Cursor]:
    """Every cursor, replays included, by name."""
    return [_cursor(row) for row in connection.execute(CURSORS["all"])]


def get_cursor(connection: sqlite3.Connection, destination: str) -> Cursor:
    """The destination's cursor. Raises QueueError if it has none."""
    row = connection.execute(CURSORS["get"], (destination,)).fetchone()
    if row is None:
        raise QueueError(f'the queue knows no destination "{destination}"')
    return _cursor(row)


def add_cursor(
    connection: sqlite3.Connection, destination: str, next_offset: int, end_offset: int | None = None
) -> Cursor:
    """The destination's cursor; a new one at `next_offset` if it had none."""
    values = {"destination": destination, "next_offset": next_offset, "end_offset": end_offset}
    connection.execute(CURSORS["insert"], values)
    return get_cursor(connection, destination)


def advance(connection: sqlite3.Connection, destination: str, progress: Progress, head_offset: int) -> Cursor:
    """Record the outcomes of the events up to `progress.next_offset`. Raises QueueError if they do not add up."""
    cursor = get_cursor(connection, destination)
    span = progress.next_offset - cursor.next_offset
    outcomes = progress.delivered + progress.filtered + len(progress.letters)
    if (
        span < 0
        or outcomes != span
        or progress.next_offset > head_offset
        or min(progress.delivered, progress.filtered) < 0
    ):
        raise QueueError(
            f"{destination}: {progress.delivered} delivered, {progress.filtered} filtered and {len(progress.letters)} "
            f"letters are not the {span} events from {cursor.next_offset} to {progress.next_offset} "
            f"(head {head_offset})"
        )
    dead = sum(letter.state == "dead" for letter in progress.letters)
    values = {
        "destination": destination,
        "next_offset": progress.next_offset,
        "delivered": progress.delivered,
        "filtered": progress.filtered,
        "dead": dead,
        "retrying": len(progress.letters) - dead,
    }
    connection.execute(CURSORS["advance"], values)
    insert_letters(connection, destination, progress.letters)
    connection.execute(LOG["set_delivering"])
    return get_cursor(connection, destination)


def set_retry(connection: sqlite3.Connection, destination: str, retry: RetryState | None) -> None:
    """Keep where the destination stands in its retries."""
    get_cursor(connection, destination)
    encoded = None if retry is None else msgspec.json.encode(retry).decode()
    connection.execute(CURSORS["set_retry"], {"destination": destination, "retry": encoded})


def rewind(connection: sqlite3.Connection, destination: str, next_offset: int) -> Cursor:
    """Begin a new ledger at `next_offset`. Letters before it stay as they are and are not counted in the new one."""
    get_cursor(connection, destination)
    connection.execute(CURSORS["rewind"], {"destination": destination, "next_offset": next_offset})
    return get_cursor(connection, destination)


def add_replay(connection: sqlite3.Connection, destination: str, from_offset: int, to_offset: int) -> Cursor:
    """A cursor over a part of the log, under a name that no other replay ever had."""
    get_cursor(connection, destination)
    (number,) = connection.execute(LOG["count_replay"]).fetchone()
    return add_cursor(connection, f"{destination}#replay-{number}", from_offset, to_offset)


def replays_of(connection: sqlite3.Connection, destination: str) -> list[str]:
    """Names of the destination's replays."""
    return [name for (name,) in connection.execute(CURSORS["replays_of"], {"destination": destination})]


def delete_cursor(connection: sqlite3.Connection, destination: str) -> None:
    """Forget where the destination stood."""
    connection.execute(CURSORS["delete"], (destination,))


def slowest_offset(connection: sqlite3.Connection, head_offset: int) -> int:
    """What is before it was passed by every reader; finished replays hold nothing up."""
    (offset,) = connection.execute(CURSORS["slowest"]).fetchone()
    return head_offset if offset is None else int(offset)


def dead_letters_kept(connection: sqlite3.Connection) -> Sequence[tuple[str, int]]:
    """Dead letters on disk, for each destination."""
    return connection.execute(CURSORS["dead_kept"]).fetchall()


_RETRY = 7
"""Its place among the columns."""


def _cursor(row: tuple[Any, ...]) -> Cursor:
    values = list(row)
    if values[_RETRY] is not None:
        values[_RETRY] = msgspec.json.decode(values[_RETRY], type=RetryState)
    return Cursor(*values)
