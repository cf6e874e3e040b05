"""Chunks that were committed or read lately, decoded, so that readers near each other share one decode."""

from bisect import bisect_right, insort
from collections import OrderedDict

from gateway.model.envelope import Batch

MAX_CACHE_BYTES = 4 * 2**20
_EVENT_BYTES = 8
"""Of the columns, for each event."""


class BatchCache:
    """Whole chunks by offset; the least recently used go first."""

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._batches: OrderedDict[int, Batch] = OrderedDict()
        self._offsets: list[int] = []
        self.edits = 0
        """Chunks that were dropped for being changed: what was read before such a change is not to be added."""

    def add(self, batch: Batch) -> None:
        """Keep a chunk as it was committed or decoded, whole."""
        if batch.first_offset in self._batches:
            return
        self._batches[batch.first_offset] = batch
        insort(self._offsets, batch.first_offset)
        self._bytes += _cost(batch)
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._batches)))

    def get(self, offset: int) -> Batch | None:
        """The chunk that holds `offset`."""
        at = bisect_right(self._offsets, offset) - 1
        if at < 0:
            return None
        batch = self._batches[self._offsets[at]]
        if offset >= batch.next_offset:
            return None
        self._batches.move_to_end(batch.first_offset)
        return batch

    def drop_before(self, offset: int) -> None:
        """Forget chunks that were removed from the log."""
        while self._offsets and self._offsets[0] < offset:
            self._remove(self._offsets[0])

    def drop(self, first_offset: int) -> None:
        """Forget a chunk that is no longer what it was."""
        self.edits += 1
        if first_offset in self._batches:
            self._remove(first_offset)

    def _remove(self, first_offset: int) -> None:
        self._bytes -= _cost(self._batches.pop(first_offset))
        del self._offsets[bisect_right(self._offsets, first_offset) - 1]


def _cost(batch: Batch) -> int:
    return len(batch.blob) + _EVENT_BYTES * len(batch)
