"""What a warehouse tells of itself, of however its rows are stored."""

from collections.abc import Mapping

from gateway.warehouses.contract import Counts, Handed
from gateway.warehouses.names import TABLES_OF_TYPE

FORGOTTEN = "the forgotten"
"""Among the logs, and none: how many rows went with their persons."""


def event_rows(removed: Mapping[str, int]) -> int:
    """Of rows by table, those that are one for each event."""
    return sum(removed.get(table, 0) for table in TABLES_OF_TYPE.values())


def counted(handed: Mapping[str, Handed], ids: int, rows: Mapping[str, int] | None) -> Counts:
    """With what is told of the forgotten apart from the logs."""
    logs = dict(handed)
    forgotten = logs.pop(FORGOTTEN, None)
    return Counts(logs, ids, rows, (forgotten.events or 0) if forgotten else 0)
