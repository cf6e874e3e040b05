"""The write-ahead queue: an append-only log of events in one SQLite database, and the cursors into it.

What always holds: an append that has returned is on disk; offsets are contiguous and never reused; an undelivered
event is never removed; one connection exists in the whole system. Imports model, config and observe.

`queue.py` is what other rooms see. Below it `writer` commits, `reading` reads and `upkeep` does the chores, all three
on the event loop; everything under them is plain functions over an open connection, run on the database's one thread.
"""

from gateway.queue.queue import Queue, open_queue
from gateway.queue.records import (
    Appended,
    Cursor,
    Letter,
    LetterState,
    Located,
    Progress,
    QueueStatus,
    Rejected,
    RetryState,
)

__all__ = [
    "Appended",
    "Cursor",
    "Letter",
    "LetterState",
    "Located",
    "Progress",
    "Queue",
    "QueueStatus",
    "Rejected",
    "RetryState",
    "open_queue",
]
