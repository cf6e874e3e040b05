"""Takes a person out of the queue, step by step. Each step is one transaction, which also says how far the order is;
repeated, it finds nothing more. All of it runs beside the intake and the readers."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from gateway.govern import MAX_DIGESTS, suppressed_by
from gateway.model.envelope import Envelope, Stored
from gateway.model.errors import QueueError, QueueUnavailableError
from gateway.queue import forgetting, letters, wipe
from gateway.queue.aside import damaged_directories
from gateway.queue.chunks import CHUNKS, Body, Span, bodies
from gateway.queue.cursors import all_cursors, set_retry
from gateway.queue.forgetting import Job, Subject, plus, save_job
from gateway.queue.list_copy import write_copy
from gateway.queue.mentions import Mentions
from gateway.queue.reading import Reading
from gateway.queue.records import Letter, LetterState, Rejected
from gateway.queue.rejects import all_rejects, delete_rejects
from gateway.queue.store import Store
from gateway.queue.tombstones import Belongs, Erasure, erase_from, find_in
from gateway.queue.upkeep import Upkeep
from gateway.queue.writer import Writer

STEP_EVENTS = 20_000
STEP_BYTES = 4 * 2**20
LETTERS_A_STEP = 50
MAX_OPEN = 1000
IMPORTING = "what can be read of a damaged queue is still being brought over"

T = TypeVar("T")


class Traces(NamedTuple):
    """How a person is told from others."""

    belongs: Belongs
    """In whole events."""
    mentions: Mentions
    """In anything else."""


class Eraser:
    """What the orders to forget ask of the queue."""

    def __init__(self, store: Store, writer: Writer, reading: Reading, upkeep: Upkeep) -> None:
        self.whole_bytes = wipe.WHOLE_BYTES
        self._store = store
        self._writer = writer
        self._reading = reading
        self._upkeep = upkeep

    # --- orders

    async def jobs(self) -> list[Job]:
        """Open orders and reports, oldest first."""
        return await self._store.ask(forgetting.all_jobs)

    async def open_jobs(self) -> list[Job]:
        """Orders that are not done, oldest first."""
        return await self._store.ask(forgetting.open_jobs)

    async def job(self, job_id: int) -> Job | None:
        """One order; None where its report is no longer kept."""
        return await self._store.ask(forgetting.get_job, job_id)

    async def open(self, identifier: str, now_ms: int) -> Job:
        """An order to forget; the open one where it was given before."""
        waiting = await self.open_jobs()
        if len(waiting) >= MAX_OPEN:
            raise QueueError(f"{MAX_OPEN} orders to forget are open", hint="see why with `headwater status`")
        for job in waiting:
            if job.subject is not None and job.subject.identifier == identifier:
                return job
        return await self._writer.write(
            lambda connection: forgetting.insert_job(connection, Subject(identifier), now_ms)
        )

    async def save(self, job: Job) -> Job:
        """Keep how far the order is."""
        return await self._save(job, _nothing)

    async def suppress(self, job: Job, subject: Subject) -> Job:
        """Know whom the order is about, and store none of their events from now on: both, or neither."""
        assert subject.person is not None
        suppression = self._store.opened.forgotten.suppression
        digests = {suppression.digest(each) for each in suppressed_by(subject.person)} - suppression.digests
        if len(suppression.digests) + len(digests) > MAX_DIGESTS:
            raise QueueError(f"{MAX_DIGESTS} identifiers are suppressed, and there is no room for more")
        known = replace(job, subject=subject, report=plus(job.report, suppressed=len(digests)))
        saved = await self._save(known, partial(forgetting.suppress, digests=digests))
        suppression.digests |= digests
        await asyncio.to_thread(write_copy, self._store.directory, suppression)
        return saved

    async def fence(self) -> int:
        """All that was submitted before this is called lies before the offset that it returns."""
        await self._writer.write(_nothing)
        return self._store.log.head_offset

    # --- steps

    async def begin(self, job: Job, fence: int) -> Job:
        """From now on readers look for tombstones before `fence`."""
        forgotten = self._store.opened.forgotten
        saved = await self._save(
            replace(job.at("chunks"), fence=fence), partial(forgetting.raise_tombstones, until=fence)
        )
        forgotten.tombstones_until = max(forgotten.tombstones_until, fence)
        return saved

    async def erase_chunks(self, job: Job, belongs: Belongs) -> Job:
        """Some chunks; the next step after the last one."""
        log = self._store.log
        if log.importing is not None:
            raise QueueUnavailableError(IMPORTING)
        found = await self._chunks(max(job.position, log.first_offset), job.fence)
        if not found:
            return await self.save(job.at("workers"))
        erasure = await asyncio.to_thread(erase_from, found, belongs)
        for offset in erasure.damaged:
            await self._reading.whole(offset)  # finds the damage, and sets the chunk aside
        moved = replace(job, position=found[-1].first_offset + found[-1].events)
        saved = await self._writer.write(partial(_replace_bodies, erasure=erasure, job=moved))
        for body in erasure.bodies:
            self._writer.cache.drop(body.first_offset)
        return saved

    async def erase_between(self, job: Job, traces: Traces) -> Job:
        """What workers would write again, or send, if they ran: what destinations answered, where it names the person,
        and the letters that are being tried again."""
        await self._writer.write(partial(_blank_retries, mentions=traces.mentions))
        while page := await self._page(job, "retry"):
            job = await self._erase_page(job, page, traces)
        return await self.save(job.at("letters"))

    async def erase_letters(self, job: Job, traces: Traces) -> Job:
        """Some letters; the next step after the last one."""
        page = await self._page(job, None)
        return await self._erase_page(job, page, traces) if page else await self.save(job.at("rejects"))

    async def _page(self, job: Job, state: LetterState | None) -> Sequence[Letter]:
        return await self._store.ask(letters.list_letters, None, state, job.position, LETTERS_A_STEP)

    async def _erase_page(self, job: Job, page: Sequence[Letter], traces: Traces) -> Job:
        moved = replace(job, position=page[-1].id)
        doomed = [each.id for each in page if traces.belongs(each.event, envelope_of(each))]
        quoting = [each.id for each in page if traces.mentions(each.error.encode(errors="replace"))]

        def erase(connection: sqlite3.Connection) -> Job:
            for letter_id in quoting:
                letters.blank_error(connection, letter_id)
            gone = sum(letters.forget(connection, letter_id) for letter_id in doomed)
            return save_job(connection, replace(moved, report=plus(job.report, letters=gone)))

        return await self._writer.write(erase)

    async def erase_rejects(self, job: Job, traces: Traces) -> Job:
        """The ring of refused events, and what is on its way there."""
        waiting = self._upkeep.rejects
        gone = [each for each in waiting if traces.mentions(each.quoted)]
        for each in gone:
            waiting.remove(each)
        stored = await self._store.ask(all_rejects)
        ids = [row_id for row_id, each in stored if traces.mentions(each.quoted)]
        report = plus(job.report, rejects=len(gone) + len(ids))
        next_step = replace(job.at("warehouses"), report=report)
        return await self._save(next_step, partial(delete_rejects, ids=ids))

    async def wipe(self, job: Job, now_ms: int) -> Job:
        """What is left in the files of what was deleted; and with it, the order is done."""
        if job.subject is not None:
            job = await self.save(replace(job, subject=None))
        removed = await self._remove_damaged()
        await self._run(wipe.lay_anew, self.whole_bytes)
        while await self._run(wipe.give_back):
            pass
        await self._run(wipe.empty_journal)
        report = plus(job.report, damaged=removed)
        return await self.save(replace(job.at("done"), finished_at_ms=now_ms, report=report))

    # --- questions

    async def events(self, belongs: Belongs) -> list[Stored]:
        """The person's events in the log."""
        found: list[Stored] = []
        offset, fence = self._store.log.first_offset, await self.fence()
        while chunks := await self._chunks(offset, fence):
            found += await asyncio.to_thread(find_in, chunks, belongs)
            offset = chunks[-1].first_offset + chunks[-1].events
        return found

    async def letters(self, belongs: Belongs) -> list[Letter]:
        """The letters with their events."""
        return [each async for each in self._letters() if belongs(each.event, envelope_of(each))]

    async def rejects(self, mentions: Mentions) -> list[Rejected]:
        """The refused events that mention them."""
        waiting = [each for each in self._upkeep.rejects if mentions(each.quoted)]
        return [each for _, each in await self._store.ask(all_rejects) if mentions(each.quoted)] + waiting

    def damaged(self) -> int:
        """Directories with what was left of damaged queues."""
        return len(damaged_directories(self._store.directory))

    # --- helpers

    async def _save(self, job: Job, change: Callable[[sqlite3.Connection], object]) -> Job:
        def write(connection: sqlite3.Connection) -> Job:
            change(connection)
            return save_job(connection, job)

        return await self._writer.write(write)

    async def _chunks(self, offset: int, fence: int) -> Sequence[Body]:
        return await self._store.ask(bodies, Span(offset, fence, STEP_EVENTS, STEP_BYTES)) if offset < fence else ()

    async def _letters(self) -> AsyncIterator[Letter]:
        after_id = 0
        while page := await self._store.ask(letters.list_letters, None, None, after_id, LETTERS_A_STEP):
            for letter in page:
                yield letter
            after_id = page[-1].id

    async def _run(self, function: Callable[..., T], *args: object) -> T:
        """On the database's thread, outside of a transaction. Raises QueueUnavailableError."""
        try:
            return await self._store.run(function, *args)
        except sqlite3.Error as error:
            raise QueueUnavailableError(f"the queue cannot be wiped: {error}") from error

    async def _remove_damaged(self) -> int:
        """All that can be read of them was brought over; and what cannot be read cannot be searched."""
        if self._store.log.importing is not None:
            raise QueueUnavailableError(IMPORTING)
        found = damaged_directories(self._store.directory)
        try:
            for directory in found:
                await asyncio.to_thread(shutil.rmtree, directory)
        except OSError as error:
            raise QueueUnavailableError(f"what was set aside cannot be removed: {error}") from error
        return len(found)


def envelope_of(letter: Letter) -> Envelope:
    """The facts of the request that brought the letter's event."""
    return msgspec.msgpack.decode(letter.envelope, type=Envelope)


def _replace_bodies(connection: sqlite3.Connection, erasure: Erasure, job: Job) -> Job:
    """A chunk that retention removed meanwhile is not there any more, and neither counts."""
    events = 0
    for body, erased in zip(erasure.bodies, erasure.events, strict=True):
        done = connection.execute(CHUNKS["replace"], (body.body, body.first_offset))
        events += erased * done.rowcount
    return save_job(connection, replace(job, report=plus(job.report, events=events)))


def _blank_retries(connection: sqlite3.Connection, mentions: Mentions) -> None:
    for cursor in all_cursors(connection):
        if cursor.retry is not None and mentions(cursor.retry.last_error.encode(errors="replace")):
            set_retry(connection, cursor.destination, replace(cursor.retry, last_error=""))


def _nothing(_: sqlite3.Connection) -> None:
    """Comes back with a commit."""
