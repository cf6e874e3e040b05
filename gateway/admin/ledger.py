"""Does every event have exactly one fate? For each reader of the log, counted and checked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.queue.records import Cursor


@dataclass(frozen=True, slots=True)
class Account:
    """A destination or a replay: `accepted = delivered + pending + dead + filtered`, or there is a fault."""

    destination: str
    accepted: int
    """Events that the log holds for it, since its cursor began."""
    delivered: int
    pending: int
    """Not sent yet, or being tried again."""
    dead: int
    filtered: int
    unaccounted: int
    """Events before the cursor that have no outcome, less outcomes that have no event: zero."""
    fault: str
    """What does not add up; empty while all does."""


def balance(cursors: Sequence[Cursor], head_offset: int) -> list[Account]:
    """An account for each cursor, by name. `head_offset` must be read after the cursors were."""
    return [_account(cursor, head_offset) for cursor in sorted(cursors, key=lambda cursor: cursor.destination)]


def _account(cursor: Cursor, head_offset: int) -> Account:
    end_offset = head_offset if cursor.end_offset is None else cursor.end_offset
    return Account(
        destination=cursor.destination,
        accepted=end_offset - cursor.start_offset,
        delivered=cursor.delivered,
        pending=end_offset - cursor.next_offset + cursor.retrying,
        dead=cursor.dead,
        filtered=cursor.filtered,
        unaccounted=_unaccounted(cursor),
        fault=_fault(cursor, end_offset),
    )


def _fault(cursor: Cursor, end_offset: int) -> str:
    counts = (cursor.delivered, cursor.dead, cursor.filtered, cursor.retrying)
    if min(counts) < 0:
        return "a count is negative"
    if not cursor.start_offset <= cursor.next_offset <= end_offset:
        return f"the cursor is outside of {cursor.start_offset}..{end_offset}"
    difference = _unaccounted(cursor)
    if difference:
        return f"{difference} events have no outcome" if difference > 0 else f"{-difference} outcomes have no event"
    return ""


def _unaccounted(cursor: Cursor) -> int:
    outcomes = cursor.delivered + cursor.dead + cursor.filtered + cursor.retrying
    return cursor.next_offset - cursor.start_offset - outcomes
