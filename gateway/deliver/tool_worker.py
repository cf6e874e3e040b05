"""The worker of one HTTP destination, or of one of its replays.

The reader fills a window of events, the dispatcher sends from it, the recorder writes down what became of them, and
letters are tried beside. Decisions are pure values elsewhere; here they meet time and the network. Every wait ends by
a bell or a timer, and a stop lets the recorder finish, so no outcome is written twice.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from gateway.config import DestinationSettings
from gateway.deliver.aftermath import Aftermath
from gateway.deliver.bell import Bell
from gateway.deliver.breaker import moment, restored
from gateway.deliver.brokers import open_carry
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.disk import PAUSE_S
from gateway.deliver.governing import Governor
from gateway.deliver.hold import Hold, HoldLimits
from gateway.deliver.isolate import isolate
from gateway.deliver.lanes import Item, Lanes, Parcel, ParcelLimits
from gateway.deliver.letter_rounds import LetterRounds
from gateway.deliver.plans import Plan
from gateway.deliver.preparation import Preparation
from gateway.deliver.rate import SendRate
from gateway.deliver.reader import Reader
from gateway.deliver.recorder import Recorder
from gateway.deliver.sender import Sender
from gateway.deliver.services import Services
from gateway.deliver.status import DestinationStatus, Standing, status_of
from gateway.destinations.http_messages import Publication, Request, Response
from gateway.model.outcome import Outcome
from gateway.queue.records import Cursor

MIN_WINDOW_EVENTS = 1000
MAX_WINDOW_EVENTS = 20_000
"""Events between the cursor and the reader; their bytes are bounded in reader.py."""
HOLD_LIMITS = HoldLimits()
"""What a hold may take besides."""


class ToolWorker:
    """Owns the delivery of one cursor. `run` is its task; `stop` ends it."""

    def __init__(self, plan: Plan, cursor: Cursor, rate: SendRate, services: Services) -> None:
        self.name = CursorName(cursor.destination)
        self._plan = plan
        self._services = services
        self._governor = Governor(plan.name, plan.route, plan.settings, plan.transforms, services.quarantine())
        self._carry = services.carry
        breaker = restored(cursor.retry, moment(services.clock))
        preparation = Preparation(plan, self._governor, services.clock)
        limits, window_events, hold = _limits(plan), _window_events(plan.settings), _hold(plan.settings, self.name)
        self._lanes = Lanes(limits, window_events)
        self._recorder = Recorder(cursor, services)
        self._sender = Sender(self.name, plan, rate, breaker, services, self._carried)
        self._reader = Reader(
            plan,
            self._lanes,
            hold,
            preparation,
            self._recorder,
            self._sender,
            services,
            window_events=window_events + (HOLD_LIMITS.max_events if hold.hold_ms else 0),
        )
        self._aftermath = Aftermath(plan, self._lanes, self._recorder, self._sender, services)
        self._letters = LetterRounds(self.name, plan, preparation, self._sender, services)
        self._in_flight = 0
        self._drain_s = 0.0
        self._to_send, self._to_record, self._quiet = Bell(), Bell(), Bell()
        self._stopping, self._sends_over = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Deliver until stopped. Returns when every outcome is on disk."""
        task_name = f"deliver.{self.name.name}"
        opening = open_carry(self._plan.settings, self._services.carry)
        async with aclosing(self._governor), opening as self._carry, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._record(), name=f"{task_name}.record")
            work = tasks.create_task(self._work(task_name), name=f"{task_name}.work")
            await self._stopping.wait()
            await self._drain()
            work.cancel()
            await asyncio.wait([work])
            self._sends_over.set()
            self._to_record.ring()

    def stop(self, drain_s: float) -> None:
        """Read and start no more; sends in flight may end within `drain_s`."""
        self._drain_s = drain_s
        self._stopping.set()
        self._ring()

    def resume(self) -> None:
        """Try now, whatever the timer says."""
        self._sender.resume()
        self._ring()

    def status(self) -> DestinationStatus:
        """The worker at this moment."""
        in_flight = self._in_flight + self._letters.in_flight
        standing = Standing(
            self._recorder.cursor,
            self._sender.breaker,
            self._reader.lag,
            in_flight,
            transforms_trouble=self._governor.trouble,
        )
        return status_of(
            self._plan.settings.type, standing, self._services.queue.head_offset, moment(self._services.clock)
        )

    async def _carried(self, request: Request | Publication, timeout_s: float) -> Response:
        return await self._carry(request, timeout_s)

    async def _work(self, task_name: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                self._reader.run(self._stopping, self._to_send, self._to_record), name=f"{task_name}.read"
            )
            tasks.create_task(self._letters.run(self._stopping), name=f"{task_name}.letters")
            while True:
                wait_s = None if self._stopping.is_set() else self._start_sends(tasks, f"{task_name}.send")
                await self._to_send.heard(wait_s)

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._drain_s):
                while self._in_flight + self._letters.in_flight:
                    await self._quiet.heard(None)
        except TimeoutError:
            return

    async def _record(self) -> None:
        """Until the sends are over; then once more, for what the last of them brought."""
        while True:
            await self._to_record.heard(None)
            last = self._sends_over.is_set()
            retry = self._sender.breaker.to_record()
            saved = await asyncio.shield(self._recorder.save(retry))
            if last:
                return
            self._reader.bell.ring()
            if not saved:
                await asyncio.sleep(PAUSE_S)
                self._to_record.ring()

    def _start_sends(self, tasks: asyncio.TaskGroup, task_name: str) -> float | None:
        """Start every request that may start; the answer is how long no other can, None for until the bell."""
        while self._in_flight < self._plan.settings.concurrency:
            wait_s = self._sender.wait_s()
            if wait_s > 0:
                return wait_s
            now_s = self._services.clock.monotonic_s()
            parcel = self._lanes.next_parcel(now_s, fresh_first=self._sender.breaker.state != "closed")
            if parcel is None:
                if self._lanes.is_stuck and self._reader.is_full and not self._in_flight:
                    self._aftermath.unblock()
                return self._lanes.wait_s(now_s)
            self._in_flight += 1
            self._sender.start(len(parcel.items))
            tasks.create_task(self._send(parcel), name=task_name)
        return None

    async def _send(self, parcel: Parcel) -> None:
        async def again(items: Sequence[Item]) -> Outcome:
            return await self._sender.request_in_turn([item.payload for item in items], parcel.failing_since_ms)

        outcome = await self._sender.request([item.payload for item in parcel.items], parcel.failing_since_ms)
        self._aftermath.settle(parcel, await isolate(parcel.items, outcome, again))
        self._in_flight -= 1
        self._ring()

    def _ring(self) -> None:
        """Something changed that any of the loops may be waiting for."""
        for bell in (self._reader.bell, self._to_send, self._to_record, self._quiet):
            bell.ring()


def _limits(plan: Plan) -> ParcelLimits:
    batch = plan.settings.batch
    events_of = partial(plan.kind.batch_events, plan.settings)
    return ParcelLimits(batch.max_events, plan.kind.batch_bytes(plan.settings), batch.max_wait, events_of)


def _window_events(settings: DestinationSettings) -> int:
    return max(MIN_WINDOW_EVENTS, min(2 * settings.concurrency * settings.batch.max_events, MAX_WINDOW_EVENTS))


def _hold(settings: DestinationSettings, name: CursorName) -> Hold:
    """A replay waits for nobody."""
    return Hold(0 if name.is_replay else round(settings.hold * 1000), HOLD_LIMITS)
