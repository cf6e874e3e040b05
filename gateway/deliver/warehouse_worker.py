"""The worker of one warehouse, or of one of its replays: large micro-batches, one load at a time.

While one span loads, the next is read. A span is recorded in the queue after the warehouse has committed it; a crash
between the two is found at the next start (reconcile.py). A poison row goes to the dead letters before the warehouse's
cursor passes it, so a crash may repeat that letter but cannot lose it.
"""

import asyncio
from contextlib import AsyncExitStack, aclosing

import structlog

from gateway.deliver.backoff import retry_delay_s
from gateway.deliver.breaker import moment
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.disk import when_available
from gateway.deliver.governing import Governor
from gateway.deliver.lag import Lag
from gateway.deliver.letters import MAX_ERROR_CHARACTERS, stored_event
from gateway.deliver.loader import Loader
from gateway.deliver.patience import Patience
from gateway.deliver.plans import LoadPlan
from gateway.deliver.reconcile import reconcile
from gateway.deliver.services import Services
from gateway.deliver.spans import Span, batch_of_one
from gateway.deliver.status import DestinationStatus, Standing, status_of
from gateway.deliver.taking import Taking
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.model.errors import QueueUnavailableError, WarehouseError, WarehouseRowError
from gateway.queue.records import Cursor, Letter

LETTERS_AT_ONCE = 100
LETTER_POLL_S = 1.0
CATCH_UP_POLL_S = 1.0


class WarehouseWorker:
    """Owns the loads of one cursor. `run` is its task; `stop` ends it."""

    def __init__(self, plan: LoadPlan, cursor: Cursor, handle: WarehouseHandle, services: Services) -> None:
        self.name = CursorName(cursor.destination)
        self._plan = plan
        self._handle = handle
        self._services = services
        self._patience = Patience(self.name, plan.settings.retry, cursor.retry, services)
        log_id = services.queue.log_id + self.name.suffix
        self._governor = Governor(plan.name, plan.route, plan.settings, plan.transforms, services.quarantine())
        self._taking = Taking(cursor.destination, self._governor, services, is_archive=plan.kind.is_archive)
        self._loader = Loader(cursor, log_id, self._taking, handle, self._patience, services)
        self._lag = Lag()
        self._opened = False
        self._drain_s = 0.0
        self._busy = asyncio.Lock()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Load until stopped. A load under way may end within the drain time."""
        task_name = f"deliver.{self.name.name}"
        async with aclosing(self._governor), asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._work(task_name), name=f"{task_name}.work")
            await self._stopping.wait()
            await self._drain()
            work.cancel()
            await asyncio.wait([work])

    def stop(self, drain_s: float) -> None:
        """Start no more loads; the one under way may end within `drain_s`."""
        self._drain_s = drain_s
        self._stopping.set()

    def resume(self) -> None:
        """Try now, whatever the timer says."""
        self._patience.resume()

    def status(self) -> DestinationStatus:
        """The worker at this moment."""
        standing = Standing(
            self._loader.cursor,
            self._patience.breaker,
            self._lag,
            int(self._busy.locked()),
            opening=not self._opened,
            transforms_trouble=self._governor.trouble,
        )
        return status_of(
            self._plan.settings.type, standing, self._services.queue.head_offset, moment(self._services.clock)
        )

    async def _drain(self) -> None:
        """Wait for the load under way and let no other start; a warehouse that is down is not waited for."""
        if self._patience.breaker.state == "open":
            return
        try:
            async with asyncio.timeout(self._drain_s):
                await self._busy.acquire()
        except TimeoutError:
            return

    async def _work(self, task_name: str) -> None:
        await self._lag.begin(self._services.queue, self._loader.cursor.next_offset, self.name.name)
        async with AsyncExitStack() as stack:
            await self._open(stack)
            await self._reconcile()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._retry_letters(), name=f"{task_name}.letters")
                if not self.name.is_replay:
                    tasks.create_task(self._catch_up(), name=f"{task_name}.catch_up")
                await self._load_all(tasks, f"{task_name}.read")

    async def _open(self, stack: AsyncExitStack) -> None:
        """Replays use the warehouse that their destination's own worker opened."""
        if self.name.is_replay:
            await self._handle.opened()
        else:
            opening = self._plan.kind.open
            warehouse = await self._patience.until_done(
                lambda: stack.enter_async_context(opening(self._plan.settings, self._services.clock))
            )
            stack.enter_context(self._handle.offering(warehouse))

    async def _reconcile(self) -> None:
        loader, queue = self._loader, self._services.queue
        stored_offset = await self._patience.until_done(lambda: self._handle.now().next_offset(loader.log_id))
        loader.cursor = await when_available(
            lambda: reconcile(queue, loader.cursor, stored_offset, self._taking), self.name.name
        )
        self._opened = True

    async def _load_all(self, tasks: asyncio.TaskGroup, task_name: str) -> None:
        """Until a replay's end, or for ever; the next span is read and staged while one loads."""
        next_span = tasks.create_task(self._read(self._loader.cursor.next_offset), name=task_name)
        while span := await next_span:
            next_span = tasks.create_task(self._read_ahead(tasks, span.next_offset), name=task_name)
            async with self._busy:
                await self._loader.load(span)

    async def _read_ahead(self, tasks: asyncio.TaskGroup, offset: int) -> Span | None:
        """The span, which is staged beside the load that runs. It is the warehouse that waits for the staging."""
        span = await self._read(offset)
        if span and self._busy.locked():
            tasks.create_task(self._loader.stage(span), name=f"deliver.{self.name.name}.stage")
        return span

    async def _read(self, offset: int) -> Span | None:
        """The span at `offset`, once it is full or its first event has waited long enough; None at a replay's end."""
        queue, batch, end_offset = self._services.queue, self._plan.settings.batch, self._loader.cursor.end_offset
        if end_offset is not None and offset >= end_offset:
            return None
        await queue.wait_beyond(offset)
        await self._company(offset, batch.max_events, batch.max_wait)
        room = batch.max_events if end_offset is None else min(batch.max_events, end_offset - offset)
        batches = await when_available(lambda: queue.read_packed(offset, room, batch.max_bytes), self.name.name)
        for read in batches:
            self._lag.read(read)
        return Span(batches)

    async def _company(self, offset: int, max_events: int, max_wait_s: float) -> None:
        """Until a whole span is there, or the time is up."""
        try:
            async with asyncio.timeout(max_wait_s):
                await self._services.queue.wait_beyond(offset + max_events - 1)
        except TimeoutError:
            return

    async def _catch_up(self) -> None:
        """What loads have left for later does not wait for the next one."""
        while True:
            await asyncio.sleep(CATCH_UP_POLL_S)
            try:
                async with self._busy, self._handle.loading:
                    await self._handle.now().catch_up()
            except (WarehouseError, WarehouseRowError) as error:
                log = structlog.get_logger()
                log.warning("warehouse.not_caught_up", destination=self.name.name, error=error.message)

    async def _retry_letters(self) -> None:
        queue, clock = self._services.queue, self._services.clock
        while True:
            await asyncio.sleep(LETTER_POLL_S)
            try:
                for letter in await queue.due_letters(self.name.name, clock.now_ms(), LETTERS_AT_ONCE):
                    async with self._busy:
                        await self._load_letter(letter)
            except QueueUnavailableError as error:
                structlog.get_logger().warning("destination.not_recorded", destination=self.name.name, error=str(error))

    async def _load_letter(self, letter: Letter) -> None:
        """Loaded beside the log: the warehouse's cursor stays where it is."""
        queue, metrics, now_ms = self._services.queue, self._services.metrics, self._services.clock.now_ms()
        taken = await self._taking.taken(Span([batch_of_one(stored_event(letter))]))
        if not taken.batches:
            rule = next(iter(taken.filtered), "")
            kept_back = "rejected", f"the configuration keeps it back now: {rule}"
            reason, error = next(((each.reason, each.error) for each in taken.letters), kept_back)
            await queue.bury_letter(letter.id, reason, error[:MAX_ERROR_CHARACTERS])
            self._services.burials.note(self.name, reason)
            return
        try:
            await self._loader.store(taken.batches, self._loader.cursor.next_offset)
        except WarehouseRowError as error:
            await queue.bury_letter(letter.id, "rejected", error.message[:MAX_ERROR_CHARACTERS])
            self._services.burials.note(self.name, "rejected")
        except Exception as error:  # noqa: BLE001 - as in patience.py: whatever it is, only this warehouse pays
            delay_s = retry_delay_s(letter.attempts + 1, self._plan.settings.retry, self._services.rng)
            next_attempt_at_ms = now_ms + round(delay_s * 1000)
            await queue.postpone_letter(
                letter.id, letter.attempts + 1, next_attempt_at_ms, str(error)[:MAX_ERROR_CHARACTERS]
            )
        else:
            await queue.settle_letter(letter.id)
            metrics.delivered.labels(self.name.label).inc()
