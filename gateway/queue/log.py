"""What the daemon knows of the log while it runs: its bounds and its name."""

import random
import sqlite3
import uuid
from dataclasses import dataclass
from typing import NamedTuple

from gateway.queue.chunks import chunk_from, last_chunk
from gateway.queue.statements import named_queries

LOG = named_queries("log")
SALVAGE = named_queries("salvage")
_SEED_BITS = 63


@dataclass(slots=True)
class Import:
    """The part of the log that is still being brought over from a damaged database."""

    directory: str
    """Where the damaged database lies, within the queue's directory."""
    next_letter_id: int | None
    """None once all letters are over."""
    next_offset: int
    """Events before it are over, or lost. Readers wait here."""
    end_offset: int


@dataclass(slots=True)
class Log:
    """The bounds of the log. Changed only after the commit that moved them."""

    log_id: str
    digest_seed: int
    first_offset: int
    """Everything before it was removed."""
    head_offset: int
    sealed_offset: int
    """The ids of the events before it are in sealed runs."""
    oldest_received_at_ms: int | None
    importing: Import | None = None


class LogRow(NamedTuple):
    """The log as one row says it."""

    log_id: str
    digest_seed: int
    first_offset: int
    head_floor: int
    sealed_offset: int
    delivering: int
    replays: int


def new_log_row(rng: random.Random) -> LogRow:
    """A name and a secret for a new log."""
    return LogRow(str(uuid.UUID(int=rng.getrandbits(128), version=4)), rng.getrandbits(_SEED_BITS), 0, 0, 0, 0, 0)


def create_log(connection: sqlite3.Connection, row: LogRow) -> None:
    """Give a fresh database its name; nothing of it is sealed."""
    connection.execute(LOG["create"], row._asdict())


def get_log_row(connection: sqlite3.Connection) -> LogRow | None:
    """None in a fresh database."""
    row = connection.execute(LOG["get"]).fetchone()
    return LogRow(*row) if row else None


def load_log(connection: sqlite3.Connection) -> Log | None:
    """The log as it is on disk; None in a fresh database."""
    row = get_log_row(connection)
    if row is None:
        return None
    last, oldest = last_chunk(connection), chunk_from(connection, row.first_offset)
    importing = connection.execute(SALVAGE["get"]).fetchone()
    return Log(
        log_id=row.log_id,
        digest_seed=row.digest_seed,
        first_offset=row.first_offset,
        head_offset=max(row.first_offset, row.head_floor, last.next_offset if last else 0),
        sealed_offset=row.sealed_offset,
        oldest_received_at_ms=oldest.received_at_ms if oldest else None,
        importing=Import(*importing) if importing else None,
    )


def is_delivering(connection: sqlite3.Connection) -> bool:
    """Any reader has ever recorded an outcome."""
    row = get_log_row(connection)
    return row is not None and bool(row.delivering)
