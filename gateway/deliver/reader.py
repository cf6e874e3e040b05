"""From the log into the window: reads ahead of the cursor, prepares each event, and keeps the window bounded."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice

import structlog

from gateway.deliver.bell import Bell
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.disk import when_available
from gateway.deliver.governing import Given
from gateway.deliver.hold import Hold, Released, look_at
from gateway.deliver.lag import Lag
from gateway.deliver.lanes import Lanes
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.owner import given_to
from gateway.deliver.plans import Plan
from gateway.deliver.preparation import Preparation
from gateway.deliver.prepare import UNREADABLE, Prepared
from gateway.deliver.progress import Filtered, Unsendable
from gateway.deliver.recorder import Recorder
from gateway.deliver.sender import Sender
from gateway.deliver.services import Services
from gateway.deliver.stitch import Stitch
from gateway.model.envelope import Batch, Stored

WINDOW_BYTES = 4 * 2**20
"""Memory for events and payloads without an outcome, for each destination; what is held comes on top (hold.py)."""
READ_EVENTS = 100
"""Mapped at one go; more would hold up the event loop, and intake with it."""


class Reader:
    """Fills the lanes of one cursor. Events that are not sent get their outcome here.

    Every event goes through the hold, whose `ready` is where a user may be given to it, and on into the lanes.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of one worker; tool_worker.py is the one caller
        self,
        plan: Plan,
        lanes: Lanes,
        hold: Hold,
        preparation: Preparation,
        recorder: Recorder,
        sender: Sender,
        services: Services,
        *,
        window_events: int,
    ) -> None:
        self.lag = Lag()
        self.bell = Bell()
        """Rung when the window may have room again, or the breaker changed."""
        self._plan = plan
        self._lanes = lanes
        self._hold = hold
        self._preparation = preparation
        self._recorder = recorder
        self._sender = sender
        self._services = services
        self._window_events = window_events
        self._stitch = _stitch(plan, services)
        self._next_offset = recorder.cursor.next_offset
        self._cursor_name = CursorName(recorder.cursor.destination)

    async def run(self, stopping: asyncio.Event, filled: Bell, settled: Bell) -> None:
        """Read until stopped or a replay's end. `filled`: the lanes have more; `settled`: outcomes without a send."""
        await self.lag.begin(self._services.queue, self._next_offset, self._cursor_name.name)
        end_offset = self._recorder.cursor.end_offset
        while not stopping.is_set() and (end_offset is None or self._next_offset < end_offset or self._hold.ready):
            resting_s = self._sender.breaker.wait_s(self._services.clock.monotonic_s())
            if resting_s > 0:
                await self.bell.heard(resting_s)
            elif await self._pass_on():
                filled.ring()
                settled.ring()
                await asyncio.sleep(0)
            else:
                await self._read_or_wait(settled)

    @property
    def is_full(self) -> bool:
        """The window has no room."""
        return self._lanes.bytes >= WINDOW_BYTES or self._room() <= 0

    def _room(self) -> int:
        """Events that may be read now. The window spans from the recorded cursor, so that outcomes are bounded too."""
        cursor = self._recorder.cursor
        room = self._window_events - (self._next_offset - cursor.next_offset)
        return room if cursor.end_offset is None else min(room, cursor.end_offset - self._next_offset)

    async def _read_or_wait(self, settled: Bell) -> None:
        """Read on, or wait until there is more, or room, or something was held for long enough."""
        queue = self._services.queue
        hold_s = self._hold.wait_s(self._services.clock.now_ms())
        if self._hold.ready or self.is_full:
            await self.bell.heard(hold_s)
        elif self._next_offset >= queue.head_offset:
            with suppress(TimeoutError):
                async with asyncio.timeout(hold_s):
                    await queue.wait_beyond(self._next_offset)
        else:
            for batch in await when_available(self._read, self._cursor_name.name):
                if batch.first_offset > self._next_offset:
                    self._skip_hole(batch.first_offset)
                    settled.ring()
                    break
                self._take_in(batch)

    async def _read(self) -> Sequence[Batch]:
        return await self._services.queue.read(self._next_offset, min(self._room(), READ_EVENTS), WINDOW_BYTES)

    def _take_in(self, batch: Batch) -> None:
        self.lag.read(batch)
        now_ms, canonical = self._services.clock.now_ms(), self._services.enriching.events.canonical
        for stored in batch:
            if self._hold.hold_ms and self._plan.route.takes(stored.envelope):
                self._hold.take(look_at(stored, canonical), now_ms)
            else:
                self._hold.pass_by(stored)
        self._advance(batch.next_offset)

    async def _pass_on(self) -> bool:
        """Some of what the hold has ready goes into the lanes; False when nothing may."""
        ready, metrics, label = self._hold.ready, self._services.metrics, self._cursor_name.label
        self._hold.release_due(self._services.clock.now_ms())
        users: Mapping[int, str] = {}
        if self._stitch and ready and self._lanes.bytes < WINDOW_BYTES:
            stitched = await self._stitch.users_of(
                islice(ready, READ_EVENTS), self._services.enriching.events.canonical
            )
            users = stitched.users
            metrics.stitch_unanswered.labels(label).inc(stitched.unanswered)
        passed: list[Released] = []
        room_bytes = WINDOW_BYTES - self._lanes.bytes
        while ready and len(passed) < READ_EVENTS and room_bytes > 0:
            passed.append(ready.popleft())
            room_bytes -= len(passed[-1].stored.raw)
        given = [self._given(released, users.get(released.stored.offset, "")) for released in passed]
        prepared = await self._preparation.prepared(given)
        hot = sum(self._take(each.stored, what) for each, what in zip(given, prepared, strict=True))
        if self._stitch:
            metrics.stitch_joined.labels(label).inc(sum(each.stored.offset in users for each in passed))
        metrics.hot_lanes.labels(label).inc(hot)
        if self._hold.hold_ms:
            metrics.hold_joined.labels(label).inc(sum(bool(released.user_id) for released in passed))
            metrics.hold_released_early.labels(label).inc(sum(released.is_early for released in passed))
        return bool(passed)

    def _given(self, released: Released, owner: str) -> Given:
        """An event without a user is given the one whom the hold has seen, else the device's `owner`, if known."""
        if user_id := released.user_id or owner:
            return Given(given_to(released.stored, user_id), self._services.enriching.canonical)
        return Given(released.stored, self._services.enriching.events.canonical)

    def _take(self, stored: Stored, prepared: Prepared) -> bool:
        """Into the lanes, or its outcome; True when its person is hot."""
        match prepared:
            case Filtered() as filtered:
                self._recorder.settle(stored.offset, filtered)
            case Unsendable(reason, error):
                trouble = Trouble(error, 0, self._services.clock.now_ms())
                self._recorder.settle(stored.offset, dead_letter(stored, self._cursor_name.name, reason, trouble))
            case items:
                for reason in (reason for item in items for reason in item.payload.repairs):
                    self._services.metrics.message_repairs.labels(self._cursor_name.label, reason).inc()
                return any([self._lanes.add(item) for item in items])  # noqa: C419 - each is added
        return False

    def _skip_hole(self, first_offset: int) -> None:
        """Pass over what is missing before `first_offset`, as much of it as the window has room for."""
        lost = min(first_offset - self._next_offset, self._room())
        structlog.get_logger().error("destination.hole", destination=self._cursor_name.name, events=lost)
        for offset in range(self._next_offset, self._next_offset + lost):
            self._recorder.settle(offset, UNREADABLE)
        self._advance(self._next_offset + lost)

    def _advance(self, next_offset: int) -> None:
        self._next_offset = next_offset
        self._hold.read_up_to(next_offset)


def _stitch(plan: Plan, services: Services) -> Stitch | None:
    warehouse = plan.settings.stitch
    return Stitch(partial(services.warehouse, warehouse), services.clock) if warehouse else None
