"""Starts, replaces and stops the workers: one for each destination of the configuration, one for each running replay.

Workers share nothing but the queue, the decoded events and the transport, so that none can hold up another. A worker
that dies of an error nobody foresaw takes the daemon with it, and systemd starts it afresh.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from gateway.config import DestinationSettings, EnrichSettings, TrackingPlanSettings
from gateway.deliver.backfill import Access, Backfill
from gateway.deliver.backfills import Backfills
from gateway.deliver.backfills import Running as Backfilling
from gateway.deliver.breaker import moment
from gateway.deliver.burials import Burials
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.disk import when_available
from gateway.deliver.enriching import Enriching
from gateway.deliver.gauges import forget, show
from gateway.deliver.governing import Given
from gateway.deliver.plans import KindTable, LoadPlan
from gateway.deliver.preview import Preview, preview
from gateway.deliver.quarantine import NOTHING_KEPT, Quarantine
from gateway.deliver.rate import SendRate
from gateway.deliver.services import Services
from gateway.deliver.status import DestinationStatus
from gateway.deliver.tool_worker import ToolWorker
from gateway.deliver.transport import open_transport
from gateway.deliver.warehouse_handle import WarehouseHandle
from gateway.deliver.warehouse_worker import WarehouseWorker
from gateway.destinations.contract import Destination
from gateway.model.clock import Clock
from gateway.model.errors import HeadwaterError, QueueUnavailableError
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.queue.records import Cursor
from gateway.transforms import Chains
from gateway.warehouses.archive import Past
from gateway.warehouses.contract import Counts, Warehouse, WarehouseKind

EVENT_CACHE_BYTES = 2 * 2**20
"""Of JSON; decoded it takes several times that."""
TEND_S = 1.0
RESTART_DRAIN_S = 3.0
"""How long a restart of all workers waits for sends. Less than a stop of the daemon waits for the restart."""
REPLACE_DRAIN_S = 10.0
"""How long a reload waits for the sends of a destination whose settings changed."""
MOST_PREVIEWED_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Treatment:
    """What events of every destination go through."""

    transforms: Chains = field(default_factory=Chains)
    enrich: EnrichSettings = field(default_factory=EnrichSettings)
    plans: Mapping[str, TrackingPlanSettings] = field(default_factory=dict)
    """Tracking plans by source."""


NO_TREATMENT = Treatment()


@dataclass(frozen=True, slots=True)
class _Running:
    """A worker and what it was started with."""

    worker: ToolWorker | WarehouseWorker
    settings: DestinationSettings
    treatment: Treatment
    task: asyncio.Task[None]


class Delivery:
    """The delivery of one daemon. Every task belongs to `tasks`."""

    def __init__(  # noqa: PLR0913, PLR0917 - the rooms that delivery joins; app.py is the one caller
        self,
        queue: Queue,
        clock: Clock,
        rng: random.Random,
        metrics: Metrics,
        kinds: Sequence[Destination[Any]],
        warehouses: Sequence[WarehouseKind[Any]],
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._kinds = KindTable({kind.settings: kind for kind in kinds}, {kind.settings: kind for kind in warehouses})
        self.backfills = Backfills(tasks)
        self._tasks = tasks
        self._treatment = NO_TREATMENT
        self._quarantine = NOTHING_KEPT
        self._running: dict[str, _Running] = {}
        self._handles: dict[str, WarehouseHandle] = {}
        self._rates: dict[str, SendRate] = {}
        self._services: Services | None = None
        self._exit = AsyncExitStack()
        self._changing = asyncio.Lock()
        self._is_stopping = False

    async def apply(
        self,
        destinations: Mapping[str, DestinationSettings],
        treatment: Treatment = NO_TREATMENT,
        kinds: Sequence[Destination[Any]] = (),
    ) -> None:
        """Start, replace and stop workers so that they match; one whose settings and treatment did not change goes on.

        `kinds` are those of tools that the destinations may be of, beside those known already. Raises ConfigError,
        and then nothing has changed.
        """
        async with self._changing:
            services = await self._started()
            services.enriching.change(treatment.enrich)
            if treatment.plans != self._treatment.plans:
                self._quarantine = Quarantine(treatment.plans)
            self._treatment = treatment
            tools = {**self._kinds.tools, **{kind.settings: kind for kind in kinds}}
            self._kinds = replace(self._kinds, tools=tools)
            wanted = {name: settings for name, settings in destinations.items() if settings.enabled}
            outdated = [
                name
                for name, running in self._running.items()
                if wanted.get(CursorName(name).destination) != running.settings or running.treatment != treatment
            ]
            await self._stop(outdated, REPLACE_DRAIN_S)
            for name, settings in wanted.items():
                if name not in self._running:
                    self._prepare(name, settings)
                    self._start(await self._queue.register(name), settings, services)
            for cursor in await self._queue.cursors():
                replayed = CursorName(cursor.destination)
                if replayed.is_replay and replayed.destination in wanted and replayed.name not in self._running:
                    self._start(cursor, wanted[replayed.destination], services)

    async def stop(self, drain_s: float) -> None:
        """Start nothing more, let what is in flight end within `drain_s`, save every outcome."""
        self._is_stopping = True
        await self.backfills.stop(drain_s)
        async with self._changing:
            await self._stop(list(self._running), drain_s)
            await self._exit.aclose()
            self._services, self._is_stopping = None, False

    async def restart(self, between: Callable[[], Awaitable[None]]) -> None:
        """Stop every worker and start it again where its cursor stands, so that none goes on with events that it read
        before. `between` is done while none runs; a QueueUnavailableError from it is raised here, once they run again.

        A caller that is cancelled does not leave some of them stopped: a stop of the daemon has to find them all.
        """
        failure = await asyncio.shield(self._tasks.create_task(self._restart(between), name="deliver.restart"))
        if failure is not None:
            raise failure

    async def _restart(self, between: Callable[[], Awaitable[None]]) -> QueueUnavailableError | None:
        """What `between` raised: a task that raises would take the daemon with it."""
        async with self._changing:
            stopped = {name: running.settings for name, running in self._running.items()}
            await self._stop(list(stopped), RESTART_DRAIN_S)
            if self._services is not None:
                self._services.enriching.events.clear()
            failure = None
            try:
                await between()
            except QueueUnavailableError as error:
                failure = error
            if self._services is not None and not self._is_stopping:
                await self._start_again(stopped, self._services)
            return failure

    async def _start_again(self, stopped: Mapping[str, DestinationSettings], services: Services) -> None:
        for name, settings in stopped.items():
            if not CursorName(name).is_replay:
                self._prepare(name, settings)
        for cursor in await when_available(self._queue.cursors, "all"):
            if cursor.destination in stopped:
                self._start(cursor, stopped[cursor.destination], services)

    def warehouses(self, *, answering: bool = False) -> list[str]:
        """Names of the warehouses that run, open or not; of all, or of those that can be asked something."""
        return sorted(name for name, handle in self._handles.items() if not (answering and handle.is_archive))

    def status(self) -> list[DestinationStatus]:
        """Every worker at this moment, by name."""
        return [self._running[name].worker.status() for name in sorted(self._running)]

    async def resume(self, destination: str) -> None:
        """The owner says: try again now. Replays of the destination are meant as well."""
        workers = [
            running.worker for name, running in self._running.items() if CursorName(name).destination == destination
        ]
        if not workers:
            raise self._unknown(destination)
        for worker in workers:
            worker.resume()

    def warehouse(self, destination: str | None) -> Warehouse:
        """The open warehouse of that name; None where there is only one that can be asked. Raises HeadwaterError."""
        return self._handle(destination).now()

    async def opened_warehouse(self, destination: str | None, patience_s: float) -> Warehouse:
        """The same, if need be once it is open, which takes a moment after a start."""
        return await self._handle(destination).within(patience_s)

    async def counted(self, destination: str, patience_s: float) -> Counts:
        """What a warehouse holds, while no load runs. Raises HeadwaterError as `opened_warehouse` does."""
        handle = self._handle(destination)
        warehouse = await handle.within(patience_s)
        async with handle.loading:
            return await warehouse.counts()

    def _handle(self, destination: str | None) -> WarehouseHandle:
        if destination is None:
            names = self.warehouses(answering=True)
            if len(names) != 1:
                hint = f"name one of them with --destination: {', '.join(names)}" if names else "add one and reload"
                raise HeadwaterError(f"there are {len(names)} warehouses to ask", hint=hint)
            return self._handles[names[0]]
        if destination not in self._handles:
            raise HeadwaterError(
                f'"{destination}" is not a warehouse that runs', hint="list them with `headwater status`"
            )
        return self._handles[destination]

    async def replay(self, destination: str, from_ms: int, to_ms: int) -> Cursor:
        """Deliver again what was received from `from_ms` until `to_ms`, beside the destination's own cursor."""
        async with self._changing:
            running = self._running.get(destination)
            if running is None or self._services is None:
                raise self._unknown(destination)
            from_offset = max(await self._queue.offset_at(from_ms), self._queue.first_offset)
            to_offset = min(await self._queue.offset_at(to_ms), self._queue.head_offset)
            if from_offset >= to_offset:
                raise HeadwaterError("no event of that time is in the queue", hint="see `queue.retention`")
            cursor = await self._queue.start_replay(destination, from_offset, to_offset)
            self._start(cursor, running.settings, self._services)
            return cursor

    def backfill(self, destination: str, archive: str, past: Past) -> Backfilling:
        """Load into a warehouse what an archive has of the past. Raises HeadwaterError."""
        if self._handle(destination).is_archive or self._services is None:
            raise HeadwaterError(f'"{destination}" is an archive', hint="name a warehouse that has tables")
        backfill = Backfill(archive, past, lambda: self._access(destination), destination, self._services)
        return self.backfills.start(destination, backfill)

    async def _access(self, destination: str) -> Access:
        """Raises HeadwaterError when the warehouse runs no more; one that starts afresh is waited for."""
        async with self._changing:
            handle, running = self._handle(destination), self._running[destination]
            plan = self._kinds.plan(destination, running.settings, running.treatment.transforms)
            assert isinstance(plan, LoadPlan)
            quarantine = Quarantine(running.treatment.plans)
            return Access(plan, handle, quarantine, lambda: self._handles.get(destination) is handle)

    async def preview(self, destination: str, offset: int) -> Preview:
        """What the destination would be sent for a stored event, by the configuration in force."""
        running = self._running.get(destination)
        if running is None or self._services is None:
            raise self._unknown(destination)
        batches = await self._queue.read(offset, 1, MOST_PREVIEWED_BYTES)
        if not batches or batches[0].first_offset != offset:
            raise HeadwaterError(f"there is no event at offset {offset} any more", hint="see `queue.retention`")
        plan = self._kinds.plan(destination, running.settings, running.treatment.transforms)
        given = Given(next(iter(batches[0])), self._services.enriching.canonical)
        return await preview(given, plan, moment(self._clock), self._quarantine)

    async def _started(self) -> Services:
        if self._services is None:
            carry = await self._exit.enter_async_context(open_transport(sys.stdout.buffer))
            enriching = Enriching(EVENT_CACHE_BYTES)
            self._exit.callback(enriching.close)
            self._services = Services(
                self._queue,
                self._clock,
                self._rng,
                self._metrics,
                Burials(self._metrics, self._clock),
                enriching,
                lambda: self._quarantine,
                carry,
                self.warehouse,
            )
            tending = self._tasks.create_task(self._tend(), name="deliver.tend")
            self._exit.callback(tending.cancel)
        return self._services

    def _prepare(self, name: str, settings: DestinationSettings) -> None:
        """What a destination's worker shares with its replays."""
        if kind := self._kinds.warehouses.get(type(settings)):
            self._handles[name] = WarehouseHandle(name, is_archive=kind.is_archive)
        else:
            self._rates[name] = SendRate(settings)

    def _start(self, cursor: Cursor, settings: DestinationSettings, services: Services) -> None:
        name = CursorName(cursor.destination)
        worker: ToolWorker | WarehouseWorker
        plan = self._kinds.plan(name.destination, settings, self._treatment.transforms)
        if isinstance(plan, LoadPlan):
            worker = WarehouseWorker(plan, cursor, self._handles[name.destination], services)
        else:
            worker = ToolWorker(plan, cursor, self._rates[name.destination], services)
        task = self._tasks.create_task(worker.run(), name=f"deliver.{name.name}")
        self._running[name.name] = _Running(worker, settings, self._treatment, task)
        structlog.get_logger().info("destination.started", destination=name.name, next_offset=cursor.next_offset)

    async def _stop(self, names: Iterable[str], drain_s: float) -> None:
        """All at once, so that one slow drain does not add to another."""
        stopping = {name: self._running.pop(name) for name in list(names)}
        for running in stopping.values():
            running.worker.stop(drain_s)
        if stopping:
            await asyncio.wait([running.task for running in stopping.values()])
        for name in stopping:
            self._handles.pop(name, None)
            self._rates.pop(name, None)
            forget(self._metrics, CursorName(name).label)
            structlog.get_logger().info("destination.stopped", destination=name)

    async def _tend(self) -> None:
        """Once a second: show the lag, and end the replays that are done."""
        while True:
            await asyncio.sleep(TEND_S)
            statuses = self.status()
            show(self._metrics, statuses)
            done = [status.name for status in statuses if status.end_offset is not None and not status.lag_events]
            if done:
                await self._end_replays(done)

    async def _end_replays(self, names: Sequence[str]) -> None:
        """A replay is over when its stretch is delivered and none of its letters is left to look after."""
        async with self._changing:
            try:
                over = [name for name in names if name in self._running and await self._is_over(name)]
                await self._stop(over, REPLACE_DRAIN_S)
                for name in over:
                    await self._queue.drop_destination(name)
            except QueueUnavailableError as error:
                structlog.get_logger().warning("replay.not_ended", error=str(error))

    async def _is_over(self, name: str) -> bool:
        return not await self._queue.letters(name, None, 0, 1)

    def _unknown(self, destination: str) -> HeadwaterError:
        return HeadwaterError(f'no destination "{destination}" runs', hint="list them with `headwater status`")
