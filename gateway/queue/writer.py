"""Group commit: one transaction after the other, each with all that came while the one before was written.

Nothing waits for company: a lone request is committed at once. What waits for a commit hears of it when it is on disk,
or that it is not.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

import structlog

from gateway.model.clock import Clock
from gateway.model.errors import QueueError, QueueUnavailableError
from gateway.observe.metrics import Metrics
from gateway.queue.append import AppendedChunks, Submission
from gateway.queue.budget import MAX_PENDING_BYTES, Budget
from gateway.queue.cache import BatchCache
from gateway.queue.commit import Commit, Order, run_commit
from gateway.queue.database import is_damage, is_out_of_room
from gateway.queue.records import Appended
from gateway.queue.reserve import Reserve
from gateway.queue.store import Store
from gateway.queue.tail import Tail

T = TypeVar("T")

GATHERING_TURNS = 2
"""Of the event loop, before a commit: the first sends the answers of the commit before, the second reads what has come
meanwhile, which then shares this commit. Fewer commits cost less; docs/decisions/intake-speed.md has the figures."""


class Writer:
    """Everything that is waiting to be written, and the commits that write it."""

    def __init__(self, store: Store, budget: Budget, reserve: Reserve, metrics: Metrics, clock: Clock) -> None:
        self.cache = BatchCache()
        self.tail = Tail()
        self.work_came = asyncio.Event()
        self.metrics = metrics
        self.advanced = asyncio.Event()
        """Set, and replaced by a new one, whenever readers may find more than before."""
        self._store = store
        self._budget = budget
        self._reserve = reserve
        self._clock = clock
        self._submissions: list[Submission] = []
        self._orders: list[Order] = []
        self._pending_bytes = 0
        self._is_closed = False

    def submit(self, submission: Submission) -> None:
        """Put events into the next commit. Raises QueueError when they are refused."""
        if self._is_closed:
            raise QueueUnavailableError("the queue is closed")
        if self._budget.refusal is not None:
            raise self._budget.refusal.error()
        if self._pending_bytes + submission.raw_bytes > MAX_PENDING_BYTES:
            raise QueueUnavailableError("the disk does not keep up", retry_after_s=1)
        self._pending_bytes += submission.raw_bytes
        self._submissions.append(submission)
        self.work_came.set()

    async def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """What `write` returned, once it is committed. A caller that is cancelled does not cancel the commit."""
        if self._is_closed:
            raise QueueUnavailableError("the queue is closed")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._orders.append(Order(write, future))
        self.work_came.set()
        return await future

    @property
    def has_work(self) -> bool:
        """Something waits for a commit."""
        return bool(self._submissions or self._orders)

    async def gather(self) -> None:
        """Return once there is work, with what comes along with it."""
        await self.work_came.wait()
        for _ in range(GATHERING_TURNS):
            await asyncio.sleep(0)
        self.work_came.clear()

    async def commit_pending(self) -> None:
        """Commit what is waiting, if anything is, and tell those who wait for it."""
        if not self.has_work:
            return
        commit = self._take()
        started_s = self._clock.monotonic_s()
        try:
            await self._attempt(commit)
        except sqlite3.Error as error:
            await self._fail(commit, error)
        else:
            self.metrics.commit_seconds.observe(self._clock.monotonic_s() - started_s)
            self._publish(commit)

    async def close(self) -> None:
        """Commit what is waiting, and take no more."""
        self._is_closed = True
        await self.commit_pending()

    def changed(self) -> None:
        """Readers may find more than before."""
        self.advanced.set()
        self.advanced = asyncio.Event()

    def _take(self) -> Commit:
        commit = Commit(self._submissions, self._orders)
        self._submissions, self._orders, self._pending_bytes = [], [], 0
        return commit

    def _put_back(self, commit: Commit) -> None:
        self._submissions[:0] = commit.submissions
        self._orders[:0] = commit.orders

    async def _attempt(self, commit: Commit) -> None:
        """Raises sqlite3.Error, and then nothing of it is on disk."""
        opened = self._store.opened
        try:
            await self._store.run(run_commit, commit, opened.appender, opened.log)
        except asyncio.CancelledError:
            await self._store.run(_nothing)  # the thread works in order: after this, the commit has ended
            if commit.is_done:
                self._publish(commit)
            else:
                self._put_back(commit)
            raise

    def _publish(self, commit: Commit) -> None:
        """It is on disk: move the log's bounds, answer those who wait, wake readers."""
        assert commit.appended is not None
        log = self._store.log
        log.sealed_offset = commit.sealed_offset or log.sealed_offset
        self._budget.bytes_used = commit.bytes_used
        if commit.appended.batches:
            self._advance(commit.appended)
        for submission, answer in zip(commit.submissions, commit.appended.answers, strict=True):
            _resolve(submission.future, answer)
        for order, result in zip(commit.orders, commit.results, strict=True):
            _resolve(order.future, result)

    def _advance(self, appended: AppendedChunks) -> None:
        log = self._store.log
        log.head_offset = appended.batches[-1].next_offset
        if log.oldest_received_at_ms is None:
            log.oldest_received_at_ms = appended.received_at_ms
        for batch in appended.batches:
            self.cache.add(batch)
        self.tail.tell(appended.batches)
        self.metrics.commit_events.observe(len(appended.digests))
        self.metrics.head_offset.set(log.head_offset)
        self.changed()

    async def _fail(self, commit: Commit, error: sqlite3.Error) -> None:
        """The disk refused: nothing of the events is acknowledged; outcomes get the reserve."""
        self.metrics.commit_failures.inc()
        structlog.get_logger().error(
            "queue.commit_failed", error=str(error), events=sum(len(each.raws) for each in commit.submissions)
        )
        self._budget.is_failing = not is_damage(error)
        for submission in commit.submissions:
            _resolve(submission.future, _unavailable(error))
        if is_out_of_room(error) and commit.orders and self._reserve.give_up():
            structlog.get_logger().warning("queue.reserve_given_up", bytes=self._reserve.size_bytes)
            self._budget.is_reserve_spent = True
            commit = commit.without_events()
            try:
                return await self._retry(commit)
            except sqlite3.Error as second:
                error = second
        for order in commit.orders:
            _resolve(order.future, _unavailable(error))
        return None

    async def _retry(self, commit: Commit) -> None:
        await self._attempt(commit)
        self._publish(commit)


def _nothing(_: sqlite3.Connection) -> None:
    """Comes back when everything before it has run."""


def _unavailable(error: sqlite3.Error) -> QueueUnavailableError:
    return QueueUnavailableError(f"the disk refused a commit: {error}")


def _resolve(future: asyncio.Future[Any], result: Appended | QueueError | Any) -> None:
    """Answer, unless the one who waited has given up."""
    if future.done():
        return
    if isinstance(result, QueueError):
        future.set_exception(result)
    else:
        future.set_result(result)
