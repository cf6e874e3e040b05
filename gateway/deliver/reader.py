"""From the log into the window: reads ahead of the cursor, prepares each event, and keeps the window bounded."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.deliver.bell import Bell
from gateway.deliver.breaker import moment
from gateway.deliver.disk import when_available
from gateway.deliver.lag import Lag
from gateway.deliver.lanes import Item, Lanes
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.prepare import UNREADABLE, Plan, Unsendable, prepare
from gateway.deliver.progress import Filtered
from gateway.deliver.recorder import Recorder
from gateway.deliver.sender import Sender
from gateway.deliver.services import CursorName, Services
from gateway.model.envelope import Batch

WINDOW_BYTES = 4 * 2**20
"""Memory for events and payloads without an outcome, for each destination."""
READ_EVENTS = 100
"""Mapped at one go; more would hold up the event loop, and intake with it."""


class Reader:
    """Fills the lanes of one cursor. Events that are not sent get their outcome here."""

    def __init__(
        self, plan: Plan, lanes: Lanes, recorder: Recorder, sender: Sender, services: Services, *, window_events: int
    ) -> None:
        self.lag = Lag()
        self.bell = Bell()
        """Rung when the window may have room again, or the breaker changed."""
        self._plan = plan
        self._lanes = lanes
        self._recorder = recorder
        self._sender = sender
        self._services = services
        self._window_events = window_events
        self._next_offset = recorder.cursor.next_offset
        self._cursor_name = CursorName(recorder.cursor.destination)

    async def run(self, stopping: asyncio.Event, filled: Bell, settled: Bell) -> None:
        """Read until stopped or a replay's end. `filled`: the lanes have more; `settled`: outcomes without a send."""
        queue, end_offset = self._services.queue, self._recorder.cursor.end_offset
        while not stopping.is_set() and (end_offset is None or self._next_offset < end_offset):
            resting_s = self._sender.breaker.wait_s(self._services.clock.monotonic_s())
            if self._next_offset >= queue.head_offset:
                await queue.wait_beyond(self._next_offset)
            elif resting_s > 0 or self.is_full:
                await self.bell.heard(resting_s or None)
            else:
                for batch in await when_available(self._read, self._cursor_name.name):
                    if batch.first_offset > self._next_offset:
                        self._skip_hole(batch.first_offset)
                        break
                    self._take_in(batch)
                filled.ring()
                settled.ring()

    @property
    def is_full(self) -> bool:
        """The window has no room."""
        return self._lanes.bytes >= WINDOW_BYTES or self._room() <= 0

    def _room(self) -> int:
        """Events that may be read now. The window spans from the recorded cursor, so that outcomes are bounded too."""
        cursor = self._recorder.cursor
        room = self._window_events - (self._next_offset - cursor.next_offset)
        return room if cursor.end_offset is None else min(room, cursor.end_offset - self._next_offset)

    async def _read(self) -> Sequence[Batch]:
        return await self._services.queue.read(self._next_offset, min(self._room(), READ_EVENTS), WINDOW_BYTES)

    def _take_in(self, batch: Batch) -> None:
        self.lag.read(batch)
        name, now = self._cursor_name, moment(self._services.clock)
        hot = 0
        for stored in batch:
            match prepare(stored, self._plan, self._services.events.canonical, now):
                case Item() as item:
                    hot += self._lanes.add(item)
                case Filtered() as filtered:
                    self._recorder.settle(stored.offset, filtered)
                case Unsendable(reason, error):
                    letter = dead_letter(stored, name.name, reason, Trouble(error, 0, now.ms))
                    self._recorder.settle(stored.offset, letter)
        self._services.metrics.hot_lanes.labels(name.label).inc(hot)
        self._next_offset = batch.next_offset

    def _skip_hole(self, first_offset: int) -> None:
        """Pass over what is missing before `first_offset`, as much of it as the window has room for."""
        lost = min(first_offset - self._next_offset, self._room())
        structlog.get_logger().error("destination.hole", destination=self._cursor_name.name, events=lost)
        for offset in range(self._next_offset, self._next_offset + lost):
            self._recorder.settle(offset, UNREADABLE)
        self._next_offset += lost
