"""The disk as a promise: a byte budget, a guard for the disk's free space, and how long there is room.

New events are refused before an undelivered one would have to go.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.config import QueueSettings
from gateway.model.errors import QueueError, QueueFullError, QueueUnavailableError

MAX_PENDING_BYTES = 64 * 2**20
"""Events that wait for their commit in memory."""

_SMOOTHING_S = 600.0
_SECONDS_PER_HOUR = 3600


class Refusal(NamedTuple):
    """Why new events are refused."""

    reason: str
    is_full: bool
    """The disk or the budget is used up, as against a disk that fails."""

    def error(self) -> QueueError:
        """For the one who asked; a new one each time, for errors carry tracebacks."""
        return QueueFullError(self.reason) if self.is_full else QueueUnavailableError(self.reason)


@dataclass(slots=True)
class Growth:
    """A smoothed rate of growth: exponentially weighted over about ten minutes."""

    _weighted_bytes: float = 0
    _weighted_s: float = 0
    _last: tuple[float, int] | None = None

    def observe(self, at_s: float, bytes_used: int) -> None:
        """The size at a moment of the monotonic clock."""
        if self._last is not None and at_s > self._last[0]:
            elapsed_s = at_s - self._last[0]
            kept = math.exp(-elapsed_s / _SMOOTHING_S)
            self._weighted_bytes = self._weighted_bytes * kept + (bytes_used - self._last[1])
            self._weighted_s = self._weighted_s * kept + elapsed_s
        self._last = (at_s, bytes_used)

    @property
    def bytes_per_s(self) -> float:
        """Negative while it shrinks; zero before the second observation."""
        return self._weighted_bytes / self._weighted_s if self._weighted_s else 0


@dataclass(slots=True)
class Budget:
    """How much is used of what may be used."""

    settings: QueueSettings
    bytes_used: int = 0
    disk_free_bytes: int = 0
    is_failing: bool = False
    """The disk refused the latest commit."""
    is_reserve_spent: bool = False
    """The reserve was given up for those who drain the queue; it is not for new events."""
    growth: Growth = field(default_factory=Growth)

    @property
    def refusal(self) -> Refusal | None:
        """Why no new events are taken now; None while they are."""
        if self.is_failing:
            return Refusal("the disk refuses to write", is_full=False)
        if self.bytes_used >= self.settings.max_bytes:
            return Refusal("the queue is at its byte budget (queue.max_bytes)", is_full=True)
        if self.is_out_of_disk:
            return Refusal("the disk has less free space than queue.min_free", is_full=True)
        return None

    @property
    def is_out_of_disk(self) -> bool:
        """What room is left on the disk is for draining the queue."""
        return self.is_failing or self.is_reserve_spent or self.disk_free_bytes < self.settings.min_free

    @property
    def is_tight(self) -> bool:
        """Delivered events should make room, whatever their age."""
        return self.bytes_used > self.settings.max_bytes * _TIGHT or self.is_out_of_disk

    @property
    def hours_to_full(self) -> float | None:
        """Until new events will be refused at the present rate; None while the queue does not grow."""
        rate = self.growth.bytes_per_s
        if rate <= 0:
            return None
        room = min(self.settings.max_bytes - self.bytes_used, self.disk_free_bytes - self.settings.min_free)
        return max(room, 0) / rate / _SECONDS_PER_HOUR


_TIGHT = 0.9
