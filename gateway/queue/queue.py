"""The queue as the other rooms see it."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

from gateway.config import QueueSettings
from gateway.govern import Suppression
from gateway.model.clock import Clock
from gateway.model.envelope import Batch, Envelope, Packed
from gateway.model.errors import QueueError
from gateway.observe.metrics import Metrics
from gateway.queue import cursors, letters
from gateway.queue.append import Submission
from gateway.queue.budget import Budget
from gateway.queue.chunks import first_received_at, scan_ids
from gateway.queue.database import Database
from gateway.queue.digests import digests_of
from gateway.queue.eraser import Eraser
from gateway.queue.log import Log, is_delivering
from gateway.queue.opening import Opener, close_quietly
from gateway.queue.reading import Reading
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
from gateway.queue.rejects import newest_rejects
from gateway.queue.reserve import Reserve
from gateway.queue.store import Store
from gateway.queue.upkeep import Upkeep
from gateway.queue.writer import Writer

TICK_S = 0.5
_LETTERS_A_STEP = 500


@asynccontextmanager
async def open_queue(
    settings: QueueSettings, clock: Clock, rng: random.Random, metrics: Metrics
) -> AsyncIterator["Queue"]:
    """The queue in `settings.path`; created, migrated or salvaged as need be.

    On leaving, what waits for a commit is committed. Raises QueueError if another process has it open.
    """
    opener = Opener(settings, clock, rng)
    opened, was_damaged = await opener.open()
    queue = Queue(opener, Store(settings.path, opened), Budget(settings), metrics, clock)
    try:
        if was_damaged:
            metrics.queue_salvages.inc()
        await queue.prepare()
        yield queue
        await queue.close()
    finally:
        await close_quietly(queue.database)


DeadLetterChange = Callable[[sqlite3.Connection, Sequence[int]], int]
"""What is done to dead letters, given by id; returns how many it was done to."""


class Queue:
    """An append-only log of events, the readers' cursors into it, and the letters they set aside.

    Offsets number events from 0 on, for ever. A reader may meet a hole where events were lost with a damaged disk or
    removed by retention: the next batch then starts behind the offset that was asked for, and the events between have
    no other outcome than the one that the reader gives them.
    """

    def __init__(self, opener: Opener, store: Store, budget: Budget, metrics: Metrics, clock: Clock) -> None:
        self.on_heartbeat: Callable[[], None] = lambda: None
        """Called by `run`, at least once a second while the writer is healthy."""
        reserve = Reserve(store.directory, budget.settings.reserve)
        self._opener = opener
        self._store = store
        self._budget = budget
        self._metrics = metrics
        self._writer = Writer(store, budget, reserve, metrics, clock)
        self._reading = Reading(store, self._writer, clock)
        self._upkeep = Upkeep(self._writer, store, budget, reserve, clock)
        self.eraser = Eraser(store, self._writer, self._reading, self._upkeep)
        store.on_damage = self._writer.work_came.set

    # --- the writer

    async def prepare(self) -> None:
        """Measure the disk and set the reserve aside, before the first event comes."""
        await self._upkeep.prepare()

    async def run(self) -> None:
        """Commit what comes and do the chores between, until cancelled."""
        self._tick()
        try:
            while True:
                await self._writer.gather()
                await self.step()
                self.on_heartbeat()
        finally:
            self._timer.cancel()

    def _tick(self) -> None:
        self._upkeep.begin_round()
        self._writer.work_came.set()
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    async def step(self) -> None:
        """One commit of all that waits, and one step of a chore that is due."""
        if self._store.is_damaged:
            await self._replace_damaged()
        await self._writer.commit_pending()
        if await self._upkeep.step():
            self._writer.work_came.set()

    async def maintain(self) -> None:
        """All chores, to their end."""
        self._upkeep.begin_round()
        while await self._upkeep.step():
            await self._writer.commit_pending()

    async def close(self) -> None:
        """Commit what waits and take no more. The database stays open for those who still read."""
        await self._writer.close()

    async def _replace_damaged(self) -> None:
        self._metrics.queue_salvages.inc()
        self._store.replace(await self._opener.reopen(self._store.opened))
        self._writer.changed()

    # --- bounds

    @property
    def log_id(self) -> str:
        """The log's own name; a log made anew after a loss has another one."""
        return self._log.log_id

    @property
    def head_offset(self) -> int:
        """Offset that the next event will get."""
        return self._log.head_offset

    @property
    def first_offset(self) -> int:
        """Oldest offset still stored; the head if there is none."""
        return self._log.first_offset

    @property
    def suppression(self) -> Suppression:
        """Whose events are not to be submitted."""
        return self._store.opened.forgotten.suppression

    @property
    def tombstones_until(self) -> int:
        """Events before it may be tombstones; there are none behind it."""
        return self._store.opened.forgotten.tombstones_until

    @property
    def database(self) -> Database:
        """For closing it."""
        return self._store.opened.database

    @property
    def _log(self) -> Log:
        return self._store.log

    def status(self) -> QueueStatus:
        """The queue at this moment, without I/O."""
        refusal = self._budget.refusal
        return QueueStatus(
            head_offset=self.head_offset,
            first_offset=self.first_offset,
            bytes_used=self._budget.bytes_used,
            bytes_budget=self._budget.settings.max_bytes,
            disk_free_bytes=self._budget.disk_free_bytes,
            oldest_received_at_ms=self._log.oldest_received_at_ms,
            hours_to_full=self._budget.hours_to_full,
            refusing=refusal.reason if refusal else "",
        )

    # --- intake

    def submit(self, envelope: Envelope, message_ids: Sequence[str], raws: Sequence[bytes]) -> asyncio.Future[Appended]:
        """Store one request's events; the future tells once they are on disk, or fails with QueueUnavailableError.

        An event whose (source, message id) was stored lately counts as a duplicate. Raises QueueFullError or
        QueueUnavailableError when events are refused. A caller that is cancelled does not cancel the commit.
        """
        if len(message_ids) != len(raws):
            raise QueueError(f"{len(message_ids)} message ids for {len(raws)} events")
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        if raws:
            self._writer.submit(Submission(envelope, message_ids, raws, sum(map(len, raws)), future))
        else:
            future.set_result(Appended(0, 0))
        return future

    def note_rejected(self, rejected: Rejected) -> None:
        """Keep a refused event for a day. Written later; under a flood the oldest that wait are forgotten."""
        self._upkeep.rejects.append(rejected)

    # --- readers

    async def read(self, offset: int, max_events: int, max_bytes: int) -> Sequence[Batch]:
        """Batches from `offset` on, within the limits but at least one event; [] at the head.

        They follow each other, but for holes. Waits while the event at `offset` is being salvaged, and in a hole that
        reaches up to the head.
        """
        return await self._reading.read(offset, max_events, max_bytes)

    async def read_packed(self, offset: int, max_events: int, max_bytes: int) -> Sequence[Packed]:
        """As `read`, for long runs: what is not in memory stays packed. The last chunk may be over `max_bytes`."""
        return await self._reading.read_packed(offset, max_events, max_bytes)

    async def wait_beyond(self, offset: int) -> None:
        """Return once `head_offset > offset`."""
        await self._reading.wait_beyond(offset)

    async def register(self, destination: str) -> Cursor:
        """The destination's cursor. A new one starts at the head, or with all that is kept as long as no destination
        has ever recorded an outcome."""

        def register(connection: sqlite3.Connection) -> Cursor:
            start = self.head_offset if is_delivering(connection) else self.first_offset
            return cursors.add_cursor(connection, destination, start)

        return await self._writer.write(register)

    async def cursors(self) -> list[Cursor]:
        """Every cursor, replays included."""
        return await self._store.ask(cursors.all_cursors)

    async def record(self, destination: str, progress: Progress) -> Cursor:
        """Outcomes of a span: cursor, counters and letters in one transaction.

        Raises QueueError when the outcomes are not as many as the events.
        """
        return await self._writer.write(
            lambda connection: cursors.advance(connection, destination, progress, self.head_offset)
        )

    async def set_retry(self, destination: str, retry: RetryState | None) -> None:
        """Keep where the destination stands in its retries."""
        await self._writer.write(partial(cursors.set_retry, destination=destination, retry=retry))

    async def rewind(self, destination: str, next_offset: int) -> Cursor:
        """Deliver again from `next_offset`, or the nearest offset there is, with a ledger that begins anew there.

        Letters of events from there on are dropped, for the stream brings the events again.
        """
        next_offset = min(max(next_offset, self.first_offset), self.head_offset)
        cursor = await self._writer.write(lambda connection: cursors.rewind(connection, destination, next_offset))
        await self._in_steps(
            lambda connection: letters.erase_superseded(connection, destination, next_offset, _LETTERS_A_STEP)
        )
        return cursor

    async def drop_destination(self, destination: str) -> int:
        """Forget a destination with its letters and replays; how many events it will never get."""
        cursor = await self._store.ask(cursors.get_cursor, destination)
        for name in (*await self._store.ask(cursors.replays_of, destination), destination):
            await self._in_steps(partial(letters.erase_some, destination=name, limit=_LETTERS_A_STEP))
            await self._writer.write(partial(cursors.delete_cursor, destination=name))
        end_offset = self.head_offset if cursor.end_offset is None else cursor.end_offset
        return max(end_offset - cursor.next_offset, 0) + cursor.retrying

    async def start_replay(self, destination: str, from_offset: int, to_offset: int) -> Cursor:
        """A further cursor, over a part of the log, for a destination that has one already."""
        from_offset = min(max(from_offset, self.first_offset), self.head_offset)
        to_offset = min(max(to_offset, from_offset), self.head_offset)
        return await self._writer.write(
            lambda connection: cursors.add_replay(connection, destination, from_offset, to_offset)
        )

    async def offset_at(self, at_ms: int) -> int:
        """The first offset received at the time or later; the head if there is none."""
        return await self._store.ask(first_received_at, at_ms, self.first_offset, self.head_offset)

    # --- letters

    async def due_letters(self, destination: str, now_ms: int, limit: int) -> list[Letter]:
        """Letters whose next attempt is due, the longest due first."""
        return await self._store.ask(letters.due_letters, destination, now_ms, limit)

    async def letters(
        self, destination: str | None, state: LetterState | None, after_id: int, limit: int
    ) -> list[Letter]:
        """Letters by id, those after `after_id`; None means any destination, or any state."""
        return await self._store.ask(letters.list_letters, destination, state, after_id, limit)

    async def letter(self, letter_id: int) -> Letter | None:
        """One letter."""
        return await self._store.ask(letters.get_letter, letter_id)

    async def settle_letter(self, letter_id: int) -> None:
        """A letter that was tried again is delivered, and goes."""
        await self._writer.write(partial(letters.settle, letter_id=letter_id))

    async def postpone_letter(self, letter_id: int, attempts: int, next_attempt_at_ms: int, error: str) -> None:
        """A letter failed again and waits for its next attempt."""
        await self._writer.write(
            lambda connection: letters.postpone(connection, letter_id, attempts, next_attempt_at_ms, error)
        )

    async def bury_letter(self, letter_id: int, reason: str, error: str) -> None:
        """A letter that was tried again is dead."""
        await self._writer.write(partial(letters.bury, letter_id=letter_id, reason=reason, error=error))

    async def retry_letters(self, destination: str, letter_ids: Sequence[int] | None, now_ms: int) -> int:
        """Try dead letters again, all of them if None; how many there were."""
        return await self._each_dead(
            destination, letter_ids, lambda connection, ids: letters.revive(connection, destination, ids, now_ms)
        )

    async def drop_letters(self, destination: str, letter_ids: Sequence[int] | None) -> int:
        """Delete dead letters, all of them if None; they stay counted as dead. How many there were."""
        return await self._each_dead(
            destination, letter_ids, lambda connection, ids: letters.drop_dead(connection, destination, ids)
        )

    async def _each_dead(
        self,
        destination: str,
        letter_ids: Sequence[int] | None,
        change: DeadLetterChange,
    ) -> int:
        async def commit(ids: Sequence[int]) -> int:
            return await self._writer.write(lambda connection: change(connection, ids))

        if letter_ids is not None:
            return await commit(letter_ids)
        total, after_id = 0, 0
        while ids := await self._store.ask(letters.some_dead, destination, after_id, _LETTERS_A_STEP):
            total += await commit(ids)
            after_id = ids[-1]
        return total

    async def _in_steps(self, erase: Callable[[sqlite3.Connection], int]) -> None:
        while await self._writer.write(erase) == _LETTERS_A_STEP:
            pass

    # --- questions

    async def rejected(self, limit: int, after_ms: int = 0) -> list[Rejected]:
        """Refused events later than `after_ms`, newest first."""
        waiting = [each for each in reversed(self._upkeep.rejects) if each.at_ms > after_ms][:limit]
        return waiting + await self._store.ask(newest_rejects, limit - len(waiting), after_ms)

    async def find(self, message_id: str, sources: Sequence[str]) -> list[Located]:
        """Where a message id lies in the log, newest first. Searches all that is kept, in small steps."""
        digests = [digests_of(source, [message_id], self._log.digest_seed)[0] for source in sources]
        located: list[Located] = []
        before: int | None = self.head_offset
        while before is not None:
            scanned = await self._store.ask(scan_ids, digests, before)
            located += [found for offset in scanned.offsets if (found := await self._locate(offset))]
            before = scanned.before_offset
        return located

    async def _locate(self, offset: int) -> Located | None:
        batch = await self._reading.whole(offset)
        if batch is None:
            return None
        index = offset - batch.first_offset
        envelope = batch.envelope(index)
        return Located(offset, envelope.source, envelope.received_at_ms, batch.raw(index))

    def subscribe(self) -> AbstractAsyncContextManager[asyncio.Queue[Batch]]:
        """The chunks committed from now on; a reader that is slow misses some."""
        return self._writer.tail.subscribe()
