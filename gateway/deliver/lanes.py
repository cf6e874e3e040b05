"""Who may go next: order per person, everybody else in parallel.

A lane is one person. While events of a person are under way or waiting for another try, the person's later events stay
in the lane; all other lanes go on. The oldest event that may go goes first, so the cursor moves as fast as it can.
Pure: no clock, no I/O, and everything is bounded by the window that the reader keeps.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace

from gateway.destinations.contract import Payload
from gateway.model.envelope import Stored

HOT_SHARE = 0.2
"""A lane that holds more than this share of the window's events..."""
HOT_EVENTS_PER_S = 50.0
"""...and fills faster than this is no person's clicking: it loses the order guarantee and goes in parallel."""

MAX_PASSED_OVER = 100
"""Lanes that one parcel looks past because their next event belongs to another kind of request."""

_BRACKETS_BYTES = 2
_COMMA_BYTES = 1


@dataclass(frozen=True, slots=True)
class Item:
    """One event on its way to a destination, or a part of it, where the destination is told several things."""

    stored: Stored
    lane: Hashable
    payload: Payload
    read_at_s: float
    """Monotonic."""
    parts: int = 1
    """Of the event: it has its outcome once all of them have."""

    @property
    def size_bytes(self) -> int:
        """Memory that it holds."""
        return len(self.stored.raw) + len(self.payload.body)


@dataclass(frozen=True, slots=True)
class Parcel:
    """The events of one request. What must be sent again stays together, so that its dedup id stays the same."""

    items: Sequence[Item]
    attempts: int = 0
    failing_since_ms: int = 0
    """Zero before the first failure."""


@dataclass(frozen=True, slots=True)
class ParcelLimits:
    """How large a parcel may be, and how long the first event of a smaller one waits for company."""

    max_events: int
    max_bytes: int
    max_wait_s: float = 0
    events_of: Callable[[str], int] | None = None
    """The limit for payloads with this key, where it is less than `max_events`."""

    def events(self, key: str) -> int:
        """How many events with this key make a parcel."""
        return self.max_events if self.events_of is None else self.events_of(key)


@dataclass(slots=True, eq=False)
class _Lane:
    key: Hashable
    items: deque[Item] = field(default_factory=deque)
    body_bytes: int = 0
    taken: bool = False
    """A parcel holds its person."""
    listed: bool = False
    """It is in the heap of lanes whose head may go."""


class Lanes:
    """The events between reading and outcome."""

    def __init__(self, limits: ParcelLimits, window_events: int) -> None:
        self._limits = limits
        self._hot_events = max(2, int(window_events * HOT_SHARE))
        self._lanes: dict[Hashable, _Lane] = {}
        self._heads: list[tuple[int, int, _Lane]] = []
        self._waiting: list[tuple[float, int, Parcel]] = []
        self._ticket = itertools.count()
        self._free_events = 0
        self._free_bytes = 0
        self.bytes = 0
        """Memory held by every event without an outcome."""

    def add(self, item: Item) -> bool:
        """Take in a person's next event; True when the person is hot, and the event goes out of order.

        An event that was held may come after later ones of the log.
        """
        self.bytes += item.size_bytes
        hot = self._is_hot(item)
        if hot:
            item = replace(item, lane=("hot", item.stored.offset))
        lane = self._lanes.get(item.lane)
        if lane is None:
            lane = self._lanes[item.lane] = _Lane(item.lane)
        lane.items.append(item)
        lane.body_bytes += len(item.payload.body)
        if not lane.taken:
            self._free_events += 1
            self._free_bytes += len(item.payload.body)
            self._list(lane)
        return hot

    def next_parcel(self, now_s: float, *, fresh_first: bool = False) -> Parcel | None:
        """What to send now. `fresh_first`: prefer events that never failed, so that a probe is not always the same."""
        if fresh_first:
            return self._fresh(now_s) or self._least_tried(now_s)
        return self._due(now_s) or self._fresh(now_s)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until `next_parcel` may have one without anything new happening; None when never."""
        times_s = [self._waiting[0][0] - now_s] if self._waiting else []
        head = self._head()
        if head is not None:
            times_s.append(head.read_at_s + self._limits.max_wait_s - now_s)
        return max(0.0, min(times_s)) if times_s else None

    def hold(self, parcel: Parcel, not_before_s: float) -> None:
        """Keep it, and its people's later events, for another try."""
        heapq.heappush(self._waiting, (not_before_s, next(self._ticket), parcel))

    def settled(self, items: Sequence[Item], rest: Sequence[Item] = ()) -> None:
        """`items` of a parcel have an outcome, `rest` have not; people without a rest go on."""
        self.bytes -= sum(item.size_bytes for item in items)
        for key in {item.lane for item in items} - {item.lane for item in rest}:
            lane = self._lanes[key]
            lane.taken = False
            if not lane.items:
                del self._lanes[key]
                continue
            self._free_events += len(lane.items)
            self._free_bytes += lane.body_bytes
            self._list(lane)

    def take_waiting(self) -> list[Parcel]:
        """Every parcel that waits for another try; they must be held or settled again."""
        parcels = [parcel for _, _, parcel in self._waiting]
        self._waiting.clear()
        return parcels

    @property
    def is_stuck(self) -> bool:
        """Nothing but parcels waiting for another try is left that could move."""
        return bool(self._waiting) and self._free_events == 0

    def _is_hot(self, item: Item) -> bool:
        lane = self._lanes.get(item.lane)
        if lane is None or len(lane.items) < self._hot_events:
            return False
        span_ms = item.stored.envelope.received_at_ms - lane.items[0].stored.envelope.received_at_ms
        return len(lane.items) / max(1.0, abs(span_ms) / 1000) > HOT_EVENTS_PER_S

    def _due(self, now_s: float) -> Parcel | None:
        return heapq.heappop(self._waiting)[2] if self._waiting and self._waiting[0][0] <= now_s else None

    def _least_tried(self, now_s: float) -> Parcel | None:
        due = [entry for entry in self._waiting if entry[0] <= now_s]
        if not due:
            return None
        chosen = min(due, key=lambda entry: (entry[2].attempts, entry[:2]))
        self._waiting.remove(chosen)
        heapq.heapify(self._waiting)
        return chosen[2]

    def _fresh(self, now_s: float) -> Parcel | None:
        head = self._head()
        if head is None or not (self._is_full(head.payload.key) or head.read_at_s + self._limits.max_wait_s <= now_s):
            return None
        items: list[Item] = []
        passed_over: list[_Lane] = []
        size_bytes = _BRACKETS_BYTES
        max_events = self._limits.events(head.payload.key)
        while len(items) < max_events and len(passed_over) < MAX_PASSED_OVER and self._head() is not None:
            lane = self._unlist()
            item = lane.items[0]
            if items and item.payload.key != items[0].payload.key:
                passed_over.append(lane)
                continue
            size_bytes += len(item.payload.body) + _COMMA_BYTES
            if items and size_bytes > self._limits.max_bytes:
                passed_over.append(lane)
                break
            items.append(self._pop(lane))
            if lane.items:
                self._list(lane)
        for lane in passed_over:
            self._list(lane)
        self._take({item.lane for item in items})
        return Parcel(items)

    def _is_full(self, key: str) -> bool:
        return self._free_events >= self._limits.events(key) or self._free_bytes >= self._limits.max_bytes

    def _pop(self, lane: _Lane) -> Item:
        item = lane.items.popleft()
        lane.body_bytes -= len(item.payload.body)
        self._free_events -= 1
        self._free_bytes -= len(item.payload.body)
        return item

    def _take(self, keys: set[Hashable]) -> None:
        for key in keys:
            lane = self._lanes[key]
            lane.taken = True
            self._free_events -= len(lane.items)
            self._free_bytes -= lane.body_bytes

    def _list(self, lane: _Lane) -> None:
        if not lane.listed:
            lane.listed = True
            heapq.heappush(self._heads, (lane.items[0].stored.offset, next(self._ticket), lane))

    def _unlist(self) -> _Lane:
        lane = heapq.heappop(self._heads)[2]
        lane.listed = False
        return lane

    def _head(self) -> Item | None:
        """The oldest event that may go; lanes taken since they were listed are dropped from the heap on the way."""
        while self._heads and self._heads[0][2].taken:
            self._unlist()
        return self._heads[0][2].items[0] if self._heads else None
