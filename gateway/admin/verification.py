"""Does a warehouse hold what the queue's ledger says it was given? Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.deliver.cursor_name import CursorName
from gateway.queue.records import Cursor
from gateway.warehouses.contract import Counts, Handed


@dataclass(frozen=True, slots=True)
class Delivered:
    """One of the warehouse's cursors: its own, or a replay's."""

    cursor: str
    delivered: int
    """By the ledger."""
    handed_over: int | None
    """By the warehouse; None where an earlier version began without counting."""
    ledger_offset: int
    warehouse_offset: int
    fault: str
    """What does not add up; empty while all does."""


@dataclass(frozen=True, slots=True)
class Verification:
    """All that was compared."""

    logs: Sequence[Delivered]
    ids: int
    """Events that were ever stored, each once."""
    rows: Mapping[str, int] | None
    """By table; None where they are out of reach."""
    forgotten: int
    """Rows that went with their persons."""
    fault: str
    """What does not add up of rows and ids."""

    @property
    def adds_up(self) -> bool:
        """Nothing is missing."""
        return not self.fault and not any(log.fault for log in self.logs)


def verified(cursors: Sequence[Cursor], log_id: str, counts: Counts) -> Verification:
    """`cursors` are the warehouse's in the queue `log_id`, read before it counted: it may be ahead of them.

    It is ahead by the load that is being recorded, and by letters that were loaded once more after a crash.
    """
    logs = [_delivered(each, counts.logs.get(log_id + CursorName(each.destination).suffix)) for each in cursors]
    return Verification(logs, counts.ids, counts.rows, counts.forgotten, _fault_of_rows(counts))


def _delivered(cursor: Cursor, handed: Handed | None) -> Delivered:
    found = handed or Handed(cursor.start_offset, 0)
    return Delivered(
        cursor.destination,
        cursor.delivered,
        found.events,
        cursor.next_offset,
        found.next_offset,
        _fault_of_log(cursor, found),
    )


def _fault_of_log(cursor: Cursor, handed: Handed) -> str:
    missing = cursor.delivered - handed.events if handed.events is not None else 0
    if missing > 0:
        return f"{missing} events that the ledger has as delivered never came here"
    if handed.next_offset < cursor.next_offset:
        return f"it stands at {handed.next_offset}, before the queue's cursor at {cursor.next_offset}"
    return ""


def _fault_of_rows(counts: Counts) -> str:
    handed = [each.events for each in counts.logs.values()]
    if any(handed) and not counts.ids:
        return "every event that was ever stored is gone, and so is what is known of their ids"
    if counts.rows is None or None in handed:
        return ""
    difference = counts.ids - counts.forgotten - sum(counts.rows.values())
    if difference > 0:
        return f"{difference} events that were stored have no row any more"
    return f"{-difference} rows are there twice, or were not stored by Headwater" if difference else ""
