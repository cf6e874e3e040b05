"""How old the oldest undelivered event is, from what the reader has seen."""

from collections import deque

from gateway.deliver.disk import when_available
from gateway.model.envelope import Packed
from gateway.queue import Queue


class Lag:
    """Marks of (offset, time of receipt) between the cursor and the reader."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()

    async def begin(self, queue: Queue, next_offset: int, name: str) -> None:
        """Look at the event at the cursor: after a restart it may be long before one that rests is read for."""
        if next_offset < queue.head_offset:
            for batch in await when_available(lambda: queue.read_packed(next_offset, 1, 1), name):
                self.read(batch)

    def read(self, batch: Packed) -> None:
        """A batch came in; it is consecutive to the one before."""
        if len(batch):
            self._marks.append((batch.first_offset, batch.received_at_ms))

    def age_s(self, next_offset: int, head_offset: int, now_ms: int) -> float:
        """Age of the event at the cursor; of the time when we first looked, where nobody has read it yet."""
        if next_offset >= head_offset:
            self._marks.clear()
            return 0.0
        while len(self._marks) > 1 and self._marks[1][0] <= next_offset:
            self._marks.popleft()
        if not self._marks:
            self._marks.append((next_offset, now_ms))
        return max(0.0, (now_ms - self._marks[0][1]) / 1000)
