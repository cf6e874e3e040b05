"""Orders to forget a person, and the list of those whose events are not stored any more: rows and what they mean.

An order names the person until all else of them is erased, and then keeps counts alone. Functions here run in the
caller's transaction.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import msgspec

from gateway.govern import KEY_BYTES, Suppression
from gateway.model.person import Known
from gateway.queue.statements import named_queries

FORGETTING = named_queries("forgetting")
KEPT_REPORTS = 1000

Step = Literal["find", "settle", "chunks", "workers", "letters", "rejects", "warehouses", "wipe", "done"]
"""What is to be done next; docs/operations.md says what each does."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an order is about."""

    identifier: str
    """As the owner gave it."""
    person: Known | None = None
    """What all warehouses know together; None before they were asked."""
    by_warehouse: Mapping[str, Known] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What was removed, in numbers."""

    suppressed: int = 0
    """Identifiers whose events are not stored any more."""
    events: int = 0
    letters: int = 0
    rejects: int = 0
    damaged: int = 0
    """Directories with what was left of a damaged queue."""
    warehouses: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Rows by table, for each warehouse."""


@dataclass(frozen=True, slots=True)
class Job:
    """An order, and how far it is."""

    id: int
    step: Step
    asked_at_ms: int
    finished_at_ms: int | None
    position: int
    """Where the step goes on: an offset, or the id of a letter."""
    fence: int
    """Events from here on came after the person was suppressed."""
    subject: Subject | None
    """None once all else of the person is erased."""
    report: Report = Report()

    def at(self, step: Step) -> "Job":
        """The order at the beginning of a step."""
        return replace(self, step=step, position=0)


JobRow = tuple[Any, ...]
"""A Job as the query `all` gives it."""
_COLUMNS = ("id", "step", "asked_at_ms", "finished_at_ms", "position", "fence")


@dataclass(slots=True)
class Forgotten:
    """What the daemon keeps in memory of all orders."""

    suppression: Suppression
    tombstones_until: int
    """Events before it may be tombstones; there are none behind it."""


def load_forgotten(connection: sqlite3.Connection) -> Forgotten:
    """The list; in a database without one, an empty one with a key of its own."""
    found = read_forgotten(connection)
    if found is None:
        found = nobody_forgotten()
        connection.execute(FORGETTING["set_suppression"], (found.suppression.key, 0))
    return found


def nobody_forgotten() -> Forgotten:
    """An empty list with a new key."""
    return Forgotten(Suppression(secrets.token_bytes(KEY_BYTES)), 0)


def read_forgotten(connection: sqlite3.Connection) -> Forgotten | None:
    """The list; None where there is none."""
    row = connection.execute(FORGETTING["get_suppression"]).fetchone()
    if row is None:
        return None
    return Forgotten(Suppression(row[0], (digest for (digest,) in connection.execute(FORGETTING["digests"]))), row[1])


def restore_forgotten(connection: sqlite3.Connection, forgotten: Forgotten, end_offset: int) -> None:
    """Bring the list into a fresh database, all of whose events before `end_offset` come from an older one."""
    connection.execute(FORGETTING["set_suppression"], (forgotten.suppression.key, end_offset))
    suppress(connection, forgotten.suppression.digests)


def suppress(connection: sqlite3.Connection, digests: Iterable[bytes]) -> None:
    """Add to the list."""
    connection.executemany(FORGETTING["suppress"], ((digest,) for digest in digests))


def raise_tombstones(connection: sqlite3.Connection, until: int) -> None:
    """Events before `until` may be tombstones from now on."""
    connection.execute(FORGETTING["raise_tombstones"], (until,))


def insert_job(connection: sqlite3.Connection, subject: Subject, now_ms: int) -> Job:
    """A new order."""
    values = {"step": "find", "asked_at_ms": now_ms, "subject": _encoded(subject), "report": _encoded(Report())}
    (job_id,) = connection.execute(FORGETTING["insert"], values).fetchone()
    return Job(job_id, "find", now_ms, None, 0, 0, subject)


def save_job(connection: sqlite3.Connection, job: Job) -> Job:
    """Keep how far the order is; of those that are done, the oldest go."""
    connection.execute(FORGETTING["save"], _values(job))
    if job.step == "done":
        connection.execute(FORGETTING["trim"], (KEPT_REPORTS,))
    return job


def restore_job(connection: sqlite3.Connection, row: JobRow, end_offset: int) -> None:
    """Bring an order from a damaged database into a fresh one. What it had erased may come back from the old file, so
    it begins anew with the log. Raises ValueError for a row that cannot be."""
    try:
        job = _job(row)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if job.subject is not None and job.step not in {"find", "settle"}:
        job = replace(job.at("chunks"), fence=end_offset)
    connection.execute(FORGETTING["restore"], _values(job))


def all_jobs(connection: sqlite3.Connection) -> list[Job]:
    """Open orders and reports, oldest first."""
    return [_job(row) for row in connection.execute(FORGETTING["all"])]


def open_jobs(connection: sqlite3.Connection) -> list[Job]:
    """Orders that are not done, oldest first."""
    return [_job(row) for row in connection.execute(FORGETTING["open"])]


def get_job(connection: sqlite3.Connection, job_id: int) -> Job | None:
    """One order; None where its report is no longer kept."""
    row = connection.execute(FORGETTING["get"], (job_id,)).fetchone()
    return _job(row) if row else None


def plus(report: Report, **counts: int) -> Report:
    """The report with more removed."""
    return replace(report, **{name: asdict(report)[name] + count for name, count in counts.items()})


def _encoded(value: Subject | Report) -> str:
    return msgspec.json.encode(value).decode()


def _values(job: Job) -> dict[str, Any]:
    values = {name: getattr(job, name) for name in _COLUMNS}
    subject = _encoded(job.subject) if job.subject else None
    return values | {"subject": subject, "report": _encoded(job.report)}


def _job(row: JobRow) -> Job:
    job_id, step, asked_at_ms, finished_at_ms, position, fence, subject, report = row
    person = msgspec.json.decode(subject, type=Subject) if subject is not None else None
    counts = msgspec.json.decode(report, type=Report)
    return Job(job_id, step, asked_at_ms, finished_at_ms, position, fence, person, counts)
