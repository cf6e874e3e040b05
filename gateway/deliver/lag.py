"""How old the oldest undelivered event is, from what the reader has seen."""

from collections import deque

from gateway.model.envelope import Packed


class Lag:
    """Marks of (offset, time of receipt) between the cursor and the reader."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, int]] = deque()

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
