"""What the queue does for itself between commits: measure, make room, persist rejects, bring over salvaged rows.

In small steps, each in a transaction of its own, so that a crash loses none of them and no commit waits long. A step
that fails is logged and tried again later; it never stops the daemon.
"""

import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from gateway.model.clock import Clock
from gateway.queue.budget import Budget
from gateway.queue.commit import bytes_used
from gateway.queue.cursors import dead_letters_kept
from gateway.queue.database import in_transaction
from gateway.queue.dedupe import Dedupe
from gateway.queue.gauges import show_letters, show_state
from gateway.queue.log import LOG
from gateway.queue.records import Rejected
from gateway.queue.rejects import insert_rejects, rejects_bytes, trim_rejects
from gateway.queue.reserve import Reserve, free_bytes
from gateway.queue.retention import Rule, forget_some_ids, remove_some
from gateway.queue.salvage import import_step
from gateway.queue.store import Store
from gateway.queue.writer import Writer

STEP_S = 0.01
_MS_PER_S = 1000
_MAX_WAITING_REJECTS = 1000
_VACUUM_PAGES = 64
_KEEP_FREE_PAGES = 4096
_KEEP_FREE_SHARE = 4

Chore = Callable[[], Awaitable[bool]]
"""One step; True if another one would find more to do."""


class Upkeep:
    """The queue's own chores, one step at a time."""

    def __init__(self, writer: Writer, store: Store, budget: Budget, reserve: Reserve, clock: Clock) -> None:
        self.rejects: deque[Rejected] = deque(maxlen=_MAX_WAITING_REJECTS)
        """Not on disk yet, oldest first."""
        self._writer = writer
        self._metrics = writer.metrics
        self._store = store
        self._budget = budget
        self._reserve = reserve
        self._clock = clock
        self._due: deque[Chore] = deque()

    async def prepare(self) -> None:
        """What has to be known and set aside before the first event comes."""
        await self._measure()
        try:
            await self._try_disk()
        except OSError as error:
            structlog.get_logger().warning("queue.no_reserve", error=str(error))

    def begin_round(self) -> None:
        """All chores are due again."""
        if not self._due:
            self._due.extend(
                (
                    self._measure,
                    self._try_disk,
                    self._keep_rejects,
                    self._forget_run,
                    self._import,
                    self._remove,
                    self._forget_ids,
                    self._shrink,
                )
            )

    async def step(self) -> bool:
        """Do a step of the next chore; False when none is left."""
        if not self._due:
            return False
        chore = self._due.popleft()
        try:
            if await chore():
                self._due.append(chore)
        except (sqlite3.Error, OSError) as error:
            structlog.get_logger().warning("queue.upkeep_failed", chore=chore.__name__, error=str(error))
        return bool(self._due)

    async def _measure(self) -> bool:
        """What is used and free, and the gauges that say so."""
        budget = self._budget
        budget.bytes_used = await self._store.run(bytes_used)
        budget.disk_free_bytes = free_bytes(self._store.directory)
        budget.growth.observe(self._clock.monotonic_s(), budget.bytes_used)
        show_state(self._metrics, self._store.log, budget, self._clock.now_ms())
        show_letters(self._metrics, await self._store.run(dead_letters_kept))
        return False

    async def _try_disk(self) -> bool:
        """After a commit that failed: see whether the disk takes one now. Set the reserve aside again."""
        budget, reserve = self._budget, self._reserve
        if budget.is_failing:
            values = {"first_offset": self._store.log.first_offset}
            await self._store.run(in_transaction, _rewrite, values)
            budget.is_failing = False
        if not reserve.is_held and budget.disk_free_bytes >= reserve.size_bytes + budget.settings.min_free:
            reserve.take()
            budget.is_reserve_spent = False
            budget.disk_free_bytes = free_bytes(self._store.directory)
        return False

    async def _keep_rejects(self) -> bool:
        """Move rejects from memory to the ring on disk, if it has room, and trim the ring."""
        if self._budget.is_out_of_disk:
            return False
        waiting, self.rejects = self.rejects, deque(maxlen=_MAX_WAITING_REJECTS)
        try:
            return await self._store.run(in_transaction, self._write_rejects, list(waiting))
        except sqlite3.Error:
            self.rejects.extendleft(reversed(waiting))
            raise

    def _write_rejects(self, connection: sqlite3.Connection, rejects: Sequence[Rejected]) -> bool:
        insert_rejects(connection, rejects)
        excess_bytes = rejects_bytes(connection) - self._budget.settings.rejects_max_bytes
        freed = trim_rejects(connection, excess_bytes, self._clock.now_ms())
        return 0 < freed < excess_bytes

    async def _forget_run(self) -> bool:
        """Forget ids that have left the window."""
        return await self._store.run(_expire, self._store.opened.appender.dedupe, self._clock.now_ms())

    async def _import(self) -> bool:
        """Bring over more of a damaged database."""
        log = self._store.log
        if log.importing is None or self._budget.is_out_of_disk:
            return False
        imported = await self._store.run(import_step, self._store.directory, log, self._store.opened.appender)
        log.importing = imported.importing
        if imported.lost_events:
            structlog.get_logger().error("queue.events_lost_to_damage", events=imported.lost_events)
        if imported.importing is None:
            structlog.get_logger().warning("queue.salvaged", first_offset=log.first_offset, head_offset=log.head_offset)
        self._writer.changed()
        return imported.importing is not None

    async def _remove(self) -> bool:
        """Remove delivered events that are old, or in the way."""
        log, settings = self._store.log, self._budget.settings
        keep_ms = None if self._budget.is_tight else round(settings.retention * _MS_PER_S)
        rule = Rule(self._clock.now_ms(), keep_ms)
        removal = await self._store.run(in_transaction, remove_some, log, rule, self._clock, STEP_S)
        log.first_offset = removal.first_offset
        log.oldest_received_at_ms = removal.oldest_received_at_ms
        self._metrics.removed.inc(removal.events)
        self._writer.cache.drop_before(removal.first_offset)
        self._budget.bytes_used = await self._store.run(bytes_used)
        return not removal.is_complete

    async def _forget_ids(self) -> bool:
        """Delete ids of chunks that are gone, once they are sealed."""
        return await self._store.run(in_transaction, forget_some_ids, self._store.log)

    async def _shrink(self) -> bool:
        """Give pages that stay free back to the disk."""
        return await self._store.run(_vacuum, keep_free=not self._budget.is_out_of_disk)


def _rewrite(connection: sqlite3.Connection, values: dict[str, int]) -> None:
    connection.execute(LOG["set_first_offset"], values)


def _expire(connection: sqlite3.Connection, dedupe: Dedupe, now_ms: int) -> bool:
    forget = in_transaction(connection, dedupe.expire, now_ms)
    if forget is None:
        return False
    forget()
    return True


def _vacuum(connection: sqlite3.Connection, *, keep_free: bool) -> bool:
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    kept = max(_KEEP_FREE_PAGES, pages // _KEEP_FREE_SHARE) if keep_free else 0
    if free <= kept:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
    return bool(free > kept + _VACUUM_PAGES)
