"""Events set aside from the stream of one destination: tried again on their own, or dead.

Each change moves the counters of the letter's cursor in the same transaction, which is the caller's. A letter belongs
to the ledger it was counted in: after a rewind, older letters change no counters any more.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.queue.records import Letter, LetterState
from gateway.queue.statements import named_queries

LETTERS = named_queries("letters")
CURSORS = named_queries("cursors")


def insert_letters(connection: sqlite3.Connection, destination: str, letters: Iterable[Letter]) -> None:
    """Store new letters of the destination's present ledger; its counters are the caller's business."""
    (ledger,) = connection.execute(CURSORS["ledger"], (destination,)).fetchone()
    connection.executemany(
        LETTERS["insert"],
        (
            (
                destination,
                ledger,
                letter.offset,
                _text(letter.message_id),
                letter.source,
                letter.received_at_ms,
                letter.state,
                letter.reason,
                _text(letter.error),
                letter.attempts,
                letter.failing_since_ms,
                letter.next_attempt_at_ms,
                letter.envelope,
                letter.event,
            )
            for letter in letters
        ),
    )


def get_letter(connection: sqlite3.Connection, letter_id: int) -> Letter | None:
    """The letter, if it is still there."""
    row = connection.execute(LETTERS["get"], (letter_id,)).fetchone()
    return _letter(row) if row else None


def due_letters(connection: sqlite3.Connection, destination: str, now_ms: int, limit: int) -> list[Letter]:
    """Letters whose next attempt is due, the longest due first."""
    values = {"destination": destination, "now_ms": now_ms, "limit": limit}
    return [_letter(row) for row in connection.execute(LETTERS["due"], values)]


def list_letters(
    connection: sqlite3.Connection, destination: str | None, state: LetterState | None, after_id: int, limit: int
) -> list[Letter]:
    """Letters by id; None means every destination, or every state."""
    states = ("dead", "retry") if state is None else (state,)
    query = LETTERS["of_state"] if destination is None else LETTERS["of_destination"]
    found: list[Letter] = []
    for each in states:
        values = {"destination": destination, "state": each, "after_id": after_id, "limit": limit}
        found += map(_letter, connection.execute(query, values))
    return sorted(found, key=lambda letter: letter.id)[:limit]


def settle(connection: sqlite3.Connection, letter_id: int) -> None:
    """A letter that was tried again is delivered. One that is no longer there, or dead, is left alone."""
    if owner := _owner(connection, letter_id, "retry"):
        connection.execute(LETTERS["delete"], (letter_id,))
        connection.execute(CURSORS["count_settled"], owner)


def postpone(
    connection: sqlite3.Connection, letter_id: int, attempts: int, next_attempt_at_ms: int, error: str
) -> None:
    """A letter failed again and will be tried later."""
    values = {"id": letter_id, "attempts": attempts, "next_attempt_at_ms": next_attempt_at_ms, "error": _text(error)}
    connection.execute(LETTERS["postpone"], values)


def bury(connection: sqlite3.Connection, letter_id: int, reason: str, error: str) -> None:
    """A letter that was tried again is dead."""
    if owner := _owner(connection, letter_id, "retry"):
        connection.execute(LETTERS["bury"], {"id": letter_id, "reason": reason, "error": _text(error)})
        _count_dead(connection, owner, 1)


def revive(connection: sqlite3.Connection, destination: str, letter_ids: Sequence[int], now_ms: int) -> int:
    """Try dead letters of the destination again; how many there were."""
    revived = 0
    for letter_id in letter_ids:
        owner = _owner(connection, letter_id, "dead")
        if owner and owner["destination"] == destination:
            connection.execute(LETTERS["revive"], {"id": letter_id, "now_ms": now_ms})
            _count_dead(connection, owner, -1)
            revived += 1
    return revived


def drop_dead(connection: sqlite3.Connection, destination: str, letter_ids: Sequence[int]) -> int:
    """Delete dead letters of the destination; they stay counted as dead. How many there were."""
    doomed = [
        letter_id
        for letter_id in letter_ids
        if (owner := _owner(connection, letter_id, "dead")) and owner["destination"] == destination
    ]
    _delete(connection, doomed)
    connection.execute(CURSORS["count_kept"], {"destination": destination, "letters": -len(doomed)})
    return len(doomed)


def forget(connection: sqlite3.Connection, letter_id: int) -> int:
    """Delete a letter, whatever its state. A dead one stays counted as dead; one that was being tried again counts as
    filtered. How many there were: one or none."""
    if owner := _owner(connection, letter_id, "retry"):
        _delete(connection, [letter_id])
        connection.execute(CURSORS["count_forgotten"], owner)
        return 1
    owner = _owner(connection, letter_id, "dead")
    return drop_dead(connection, str(owner["destination"]), [letter_id]) if owner else 0


def blank_error(connection: sqlite3.Connection, letter_id: int) -> None:
    """Forget what a destination answered."""
    connection.execute(LETTERS["blank_error"], (letter_id,))


def some_dead(connection: sqlite3.Connection, destination: str, after_id: int, limit: int) -> list[int]:
    """Ids of dead letters of the destination, in order."""
    return [letter_id for (letter_id,) in connection.execute(LETTERS["some_dead"], (destination, after_id, limit))]


def erase_superseded(connection: sqlite3.Connection, destination: str, offset: int, limit: int) -> int:
    """Delete a few letters of earlier ledgers whose event is at `offset` or later: the stream brings those again.

    Returns how many there were, at most `limit`.
    """
    rows = connection.execute(LETTERS["some_superseded"], (destination, offset, limit)).fetchall()
    return _erase(connection, destination, rows)


def erase_some(connection: sqlite3.Connection, destination: str, limit: int) -> int:
    """Delete a few letters of a destination that is being dropped; how many there were, at most `limit`."""
    rows = connection.execute(LETTERS["some"], (destination, limit)).fetchall()
    return _erase(connection, destination, rows)


def _erase(connection: sqlite3.Connection, destination: str, rows: Sequence[tuple[int]]) -> int:
    doomed = [letter_id for (letter_id,) in rows]
    dead = sum(_owner(connection, letter_id, "dead") is not None for letter_id in doomed)
    _delete(connection, doomed)
    connection.execute(CURSORS["count_kept"], {"destination": destination, "letters": -dead})
    return len(doomed)


def _owner(connection: sqlite3.Connection, letter_id: int, state: LetterState) -> dict[str, str | int] | None:
    row = connection.execute(LETTERS["owner"], (letter_id,)).fetchone()
    return {"destination": row[0], "ledger": row[1]} if row and row[2] == state else None


def _count_dead(connection: sqlite3.Connection, owner: dict[str, str | int], letters: int) -> None:
    connection.execute(CURSORS["count_dead"], {**owner, "letters": letters})
    connection.execute(CURSORS["count_kept"], {"destination": owner["destination"], "letters": letters})


def _delete(connection: sqlite3.Connection, letter_ids: Iterable[int]) -> None:
    connection.executemany(LETTERS["delete"], ((letter_id,) for letter_id in letter_ids))


def _text(text: str) -> str:
    """Errors quote what destinations answer: SQLite takes no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _letter(row: tuple[Any, ...]) -> Letter:
    return Letter(*row)
