"""What may go from the log, oldest first, in small steps: nothing that a reader has not passed."""

import sqlite3
from dataclasses import dataclass
from typing import NamedTuple

from gateway.model.clock import Clock
from gateway.queue.chunks import CHUNKS, Chunk
from gateway.queue.cursors import slowest_offset
from gateway.queue.log import LOG, Log

_CHUNKS_A_STEP = 256
_IDS_A_STEP = 512
_CLOCK_SLACK_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Which of the delivered events go."""

    now_ms: int
    keep_ms: int | None
    """How long they are kept; None means that they go whatever their age."""

    def takes(self, chunk: Chunk) -> bool:
        """A chunk from the future was written when the clock was wrong. It has no age, and must not keep for ever all
        that follows it."""
        if self.keep_ms is None or chunk.received_at_ms > self.now_ms + _CLOCK_SLACK_MS:
            return True
        return chunk.received_at_ms <= self.now_ms - self.keep_ms


class Removal(NamedTuple):
    """What one step removed, true once it is committed."""

    first_offset: int
    events: int
    oldest_received_at_ms: int | None
    is_complete: bool
    """Nothing more can go at present."""


def remove_some(connection: sqlite3.Connection, log: Log, rule: Rule, clock: Clock, step_s: float) -> Removal:
    """Remove chunks that every reader has passed and the rule takes, until `step_s` is over; in the caller's
    transaction."""
    deadline_s = clock.monotonic_s() + step_s
    passed = slowest_offset(connection, log.head_offset)
    if log.importing is not None:
        passed = min(passed, log.importing.next_offset)
    first_offset, events = log.first_offset, 0
    heads = connection.execute(CHUNKS["heads_from"], (first_offset,)).fetchmany(_CHUNKS_A_STEP)
    oldest, is_complete = None, len(heads) < _CHUNKS_A_STEP
    for chunk in (Chunk(*row) for row in heads):
        if chunk.next_offset > passed or not rule.takes(chunk):
            oldest, is_complete = chunk, True
            break
        if clock.monotonic_s() > deadline_s:
            oldest, is_complete = chunk, False
            break
        connection.execute(CHUNKS["delete"], (chunk.first_offset,))
        first_offset, events = chunk.next_offset, events + chunk.events
    if events:
        connection.execute(LOG["set_first_offset"], {"first_offset": first_offset})
    return Removal(first_offset, events, oldest.received_at_ms if oldest else None, is_complete)


def forget_some_ids(connection: sqlite3.Connection, log: Log) -> bool:
    """Delete ids that are in sealed runs and whose chunks are gone; False when there are no more of them."""
    done = connection.execute(CHUNKS["delete_some_ids"], (min(log.first_offset, log.sealed_offset), _IDS_A_STEP))
    return done.rowcount == _IDS_A_STEP
