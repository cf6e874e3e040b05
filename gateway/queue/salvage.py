"""Brings the readable rows of a damaged database into the fresh one, in small steps beside the daemon's work.

Cursors, orders to forget and the suppression list come over at once, letters and chunks after them, with their offsets;
new events get offsets behind the old end from the first moment. Readers that are not yet at the new events wait for the
import to reach them. A chunk that cannot be read stays a hole in the log.
"""

import random
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import structlog

from gateway.model.envelope import Batch
from gateway.queue.append import Appender
from gateway.queue.aside import mark_begun
from gateway.queue.chunks import CHUNKS, Body
from gateway.queue.cursors import CURSORS, all_cursors
from gateway.queue.database import transaction
from gateway.queue.digests import digests_of
from gateway.queue.forgetting import (
    FORGETTING,
    Forgotten,
    JobRow,
    nobody_forgotten,
    read_forgotten,
    restore_forgotten,
    restore_job,
)
from gateway.queue.letters import LETTERS
from gateway.queue.list_copy import read_copy
from gateway.queue.log import SALVAGE, Import, Log, create_log, new_log_row
from gateway.queue.survey import CursorRow, attempt, next_readable, open_damaged, read_body, survey

_LETTERS_A_STEP = 200
_BYTES_A_STEP = 2 * 2**20
_UNKNOWN_LAST_LETTER = 2**32
"""Ids of new letters start here where nobody can tell which ids were used."""


LetterRow = tuple[Any, ...]
"""As the query `salvageable` gives it: the id, the destination, and then the rest."""
_STATE = 7


class _Identified(msgspec.Struct, rename={"message_id": "messageId"}):
    message_id: str


_decode_id = msgspec.json.Decoder(_Identified).decode


class Remembered(NamedTuple):
    """What the daemon knew when it found the damage."""

    head: int
    """Zero if it has only just started."""
    forgotten: Forgotten | None
    """None if it has only just started."""


def begin_salvage(connection: sqlite3.Connection, aside: Path, rng: random.Random, known: Remembered) -> None:
    """Start the fresh database with what identifies the damaged one, and remember what is to be brought over.

    The log keeps its name only if its end is certain: whoever remembers an offset of it must never find another event
    there.
    """
    source = open_damaged(aside)
    try:
        findings = survey(source)
        forgotten = known.forgotten or _forgotten_in(source, aside.parent)
        jobs = attempt(lambda: source.execute(FORGETTING["all"]).fetchall()) or []
    finally:
        source.close()
    end_offset = max(findings.end_offset, known.head)
    keeps_name = findings.log is not None and (findings.is_end_known or known.head > 0)
    row = findings.log if findings.log is not None and keeps_name else new_log_row(rng)
    first_offset = min(findings.first_offset, end_offset)
    with transaction(connection):
        create_log(connection, row._replace(first_offset=first_offset, head_floor=end_offset))
        last_letter_id = findings.last_letter_id
        connection.execute(
            LETTERS["reserve_ids"], (_UNKNOWN_LAST_LETTER if last_letter_id is None else last_letter_id,)
        )
        for cursor in findings.cursors:
            _restore_cursor(connection, cursor)
        _restore_forgotten(connection, forgotten, jobs, end_offset)
        importing = {
            "directory": aside.name,
            "next_letter_id": 1,
            "next_offset": first_offset,
            "end_offset": end_offset,
        }
        connection.execute(SALVAGE["begin"], importing)
    mark_begun(aside)


def _forgotten_in(source: sqlite3.Connection, directory: Path) -> Forgotten | None:
    """The suppression list, from the damaged database and from its copy; None where there is neither."""
    copy, found = read_copy(directory), attempt(lambda: read_forgotten(source))
    if copy is None:
        return found
    if found is not None and found.suppression.key == copy.key:
        copy.digests |= found.suppression.digests
    return Forgotten(copy, 0)


def _restore_forgotten(
    connection: sqlite3.Connection, forgotten: Forgotten | None, jobs: Sequence[JobRow], end_offset: int
) -> None:
    if forgotten is None:
        structlog.get_logger().error(
            "queue.suppression_lost", hint="who was forgotten is not known any more: give the orders again"
        )
    restore_forgotten(connection, forgotten or nobody_forgotten(), end_offset)
    for row in jobs:
        attempt(partial(restore_job, connection, row, end_offset))


def _restore_cursor(connection: sqlite3.Connection, row: CursorRow) -> None:
    names = (
        "destination",
        "start_offset",
        "next_offset",
        "delivered",
        "dead",
        "filtered",
        "retrying",
        "retry",
        "end_offset",
        "ledger",
    )
    attempt(lambda: connection.execute(CURSORS["restore"], dict(zip(names, row, strict=True))))


class Imported(NamedTuple):
    """What one step of an import did, true once it is committed."""

    importing: Import | None
    """Where the import stands; None when it is complete."""
    lost_events: int


def import_step(connection: sqlite3.Connection, directory: Path, log: Log, appender: Appender) -> Imported:
    """Bring over the next few letters or chunks, in a transaction of its own."""
    assert log.importing is not None
    importing = log.importing
    source = open_damaged(directory / importing.directory)
    try:
        with transaction(connection):
            if importing.next_letter_id is not None:
                next_letter_id = _import_letters(connection, source, importing.next_letter_id)
                connection.execute(SALVAGE["set_next_letter_id"], (next_letter_id,))
                next_step = Import(importing.directory, next_letter_id, importing.next_offset, importing.end_offset)
                return Imported(next_step, 0)
            return _import_chunks(connection, source, importing, appender)
    finally:
        attempt(source.close)


def _import_letters(connection: sqlite3.Connection, source: sqlite3.Connection, letter_id: int) -> int | None:
    """The id to go on with; None after the last one, when letters that were lost are counted as dead."""
    for _ in range(_LETTERS_A_STEP):
        row = _next_letter(source, letter_id)
        if row is None:
            _count_lost_letters(connection)
            return None
        letter_id = int(row[0]) + 1
        _restore_letter(connection, row)
    return letter_id


def _restore_letter(connection: sqlite3.Connection, row: LetterRow) -> None:
    restored = attempt(lambda: connection.execute(LETTERS["restore"], row))
    if restored and row[_STATE] == "dead":
        connection.execute(CURSORS["count_kept"], {"destination": row[1], "letters": 1})


def _next_letter(source: sqlite3.Connection, letter_id: int) -> LetterRow | None:
    """The next letter that can be read, searched behind damaged pages in strides that double."""
    stride = 1
    while stride < _UNKNOWN_LAST_LETTER:
        found = _letter_at(source, letter_id)
        if found:
            return found[0]
        letter_id, stride = letter_id + stride, stride * 2
    return None


def _letter_at(source: sqlite3.Connection, letter_id: int) -> tuple[LetterRow | None] | None:
    """What the search for the id finds; None where it meets damage."""
    return attempt(lambda: (source.execute(LETTERS["salvageable"], (letter_id,)).fetchone(),))


def _count_lost_letters(connection: sqlite3.Connection) -> None:
    for cursor in all_cursors(connection):
        (found,) = connection.execute(LETTERS["count_retrying"], (cursor.destination,)).fetchone()
        connection.execute(CURSORS["bury_lost"], {"destination": cursor.destination, "found": found})


def _import_chunks(
    connection: sqlite3.Connection, source: sqlite3.Connection, importing: Import, appender: Appender
) -> Imported:
    offset, end_offset = importing.next_offset, importing.end_offset
    lost = size = 0
    while offset < end_offset and size < _BYTES_A_STEP:
        chunk = next_readable(source, offset, end_offset)
        if chunk is None or chunk.first_offset >= end_offset:
            lost, offset = lost + end_offset - offset, end_offset
            break
        body = read_body(source, chunk)
        if body is None or chunk.first_offset < offset or chunk.next_offset > end_offset:
            lost, offset = lost + chunk.first_offset + 1 - offset, max(offset, chunk.first_offset) + 1
            continue
        lost += chunk.first_offset - offset
        _insert(connection, body, appender)
        offset, size = chunk.next_offset, size + body.raw_bytes
    if offset >= end_offset:
        connection.execute(SALVAGE["finish"])
        return Imported(None, lost)
    connection.execute(SALVAGE["set_next_offset"], (offset,))
    return Imported(Import(importing.directory, None, offset, end_offset), lost)


def _insert(connection: sqlite3.Connection, body: Body, appender: Appender) -> None:
    """The chunk and its ids, which are made anew: the seed may have changed, and the old ones may be lost."""
    batch = body.unpack()
    digests = [_digest(batch, index, appender.digest_seed) for index in range(len(batch))]
    connection.execute(CHUNKS["insert"], body)
    connection.execute(CHUNKS["insert_ids"], (body.first_offset, body.received_at_ms, b"".join(digests)))
    appender.dedupe.remember(digests, body.received_at_ms)


def _digest(batch: Batch, index: int, seed: int) -> bytes:
    raw = batch.raw(index)
    try:
        message_id = _decode_id(raw).message_id
    except msgspec.MsgspecError:
        message_id = raw.decode("utf-8", "replace")
    return digests_of(batch.envelope(index).source, [message_id], seed)[0]
