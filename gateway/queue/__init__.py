"""The write-ahead queue: an append-only log of events in one SQLite database, and the cursors into it.

What always holds: an append that has returned is on disk; offsets are contiguous and never reused; an undelivered
event is never removed; one connection exists in the whole system. Imports model, config, observe and govern.

`queue.py` is what other rooms see. Below it `writer` commits, `reading` reads and `upkeep` does the chores, all three
on the event loop; everything under them is plain functions over an open connection, run on the database's one thread.
"""

from gateway.queue.eraser import Eraser, Traces
from gateway.queue.forgetting import Job, Report, Subject
from gateway.queue.mentions import Mentions
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
    "Eraser",
    "Job",
    "Letter",
    "LetterState",
    "Located",
    "Mentions",
    "Progress",
    "Queue",
    "QueueStatus",
    "Rejected",
    "Report",
    "RetryState",
    "Subject",
    "Traces",
    "open_queue",
]
