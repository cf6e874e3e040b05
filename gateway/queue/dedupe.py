"""Which message ids came lately: exact, and bounded in memory.

The latest ids are a Python set. When it is full, its ids are sealed into a *run* on disk: pages of digests, an id's
page named by its first bits. A filter in memory says which runs may hold an id, and only then is the one page of each
read. It learns the ids of the next run as they come, a few at a time: learning them all when the run is sealed would
keep a commit waiting. Runs are forgotten whole, oldest first, so that an id is remembered for at least the window and
at least `max_ids` ids, whichever ends first, and for one run longer at most.

All of it is used on the database's thread alone. Nothing in memory changes before the commit that it belongs to is on
disk: the functions that write return what to do then.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.queue.digests import DIGEST_BYTES, keys_of, position_of, split
from gateway.queue.id_filter import SETS, IdFilter, Keys
from gateway.queue.statements import named_queries

DEDUPE = named_queries("dedupe")
CHUNKS = named_queries("chunks")

_RUNS = 60
"""Runs that `max_ids` ids make: fewer than the filter has sets, for the newest run is on top of them."""
_SMALLEST_RUN = 1024
_FILTERED_AT_ONCE = 4096
_IDS_PER_PAGE = 384
"""At most on average: 6 KB, of which one lookup reads two database pages."""
_PAGE_BITS = 16

Remember = Callable[[], None]
"""What to do once the commit is on disk."""


@dataclass(frozen=True, slots=True)
class Run:
    """Ids sealed together; `slot` is its set in the filter."""

    number: int
    partitions: int
    count: int
    newest_at_ms: int
    slot: int

    def page_of(self, digest: bytes) -> int:
        """Where the digest is, if it is in this run."""
        return (self.number << _PAGE_BITS) + int(_partition_of(keys_of(digest), self.partitions)[0])

    @property
    def pages(self) -> tuple[int, int]:
        """First page of the run, and the first after it."""
        return self.number << _PAGE_BITS, (self.number + 1) << _PAGE_BITS


class Dedupe:
    """The ids of the window."""

    def __init__(self, max_ids: int, window_ms: int) -> None:
        self.enabled = max_ids > 0
        self._max_ids = max_ids
        self._window_ms = window_ms
        self._run_ids = max(_SMALLEST_RUN, -(-max_ids // _RUNS))
        self._filter = IdFilter(self._run_ids)
        self._runs: deque[Run] = deque()
        self._recent: set[bytes] = set()
        self._recent_newest_at_ms = 0
        self._recent_slot = 0
        self._recent_keys: list[Keys] = []
        """The recent ids that the filter knows, as they came: a set takes long to read."""
        self._unfiltered: list[bytes] = []
        """Those that it does not know yet."""

    def __len__(self) -> int:
        return len(self._recent) + sum(run.count for run in self._runs)

    def load(self, connection: sqlite3.Connection, sealed_offset: int) -> None:
        """What an earlier process knew: the runs, and the ids of the log from `sealed_offset` on."""
        if not self.enabled:
            return
        for number, partitions, count, newest_at_ms in connection.execute(DEDUPE["runs"]).fetchall()[1 - SETS :]:
            run = Run(number, partitions, count, newest_at_ms, len(self._runs))
            for (digests,) in connection.execute(DEDUPE["pages"], run.pages):
                self._filter.add(keys_of(digests), run.slot)
            self._runs.append(run)
        self._recent_slot = len(self._runs)
        for _, received_at_ms, digests in connection.execute(CHUNKS["ids_from"], (sealed_offset,)):
            self.remember(split(digests), received_at_ms)

    def seen(self, connection: sqlite3.Connection, digests: Sequence[bytes]) -> set[int]:
        """Indexes of the digests that are remembered."""
        if not self.enabled:
            return set()
        recent = self._recent
        found = set()
        if not recent.isdisjoint(digests):
            found = {index for index, digest in enumerate(digests) if digest in recent}
        if self._runs:
            candidates = self._filter.sets(keys_of(b"".join(digests)))
            for index in np.flatnonzero(candidates).tolist():
                if index not in found and self._is_in(connection, digests[index], int(candidates[index])):
                    found.add(index)
        return found

    def remember(self, digests: Sequence[bytes], at_ms: int) -> None:
        """The events of these ids are on disk."""
        if not self.enabled:
            return
        self._recent.update(digests)
        self._recent_newest_at_ms = max(self._recent_newest_at_ms, at_ms)
        self._unfiltered += digests
        if len(self._unfiltered) >= _FILTERED_AT_ONCE:
            self._filter_the_rest()

    @property
    def wants_sealing(self) -> bool:
        """The set in memory has its size."""
        return len(self._recent) >= self._run_ids

    def seal(self, connection: sqlite3.Connection) -> Remember:
        """Write the recent ids as a run, in the caller's transaction, and forget what `max_ids` leaves no room for."""
        doomed = self._crowded_out()
        for run in doomed:
            _delete(connection, run)
        self._filter_the_rest()
        keys = np.concatenate(self._recent_keys)
        partitions = 1 << max(1, (len(keys) // _IDS_PER_PAGE).bit_length())
        number = self._runs[-1].number + 1 if self._runs else 1
        run = Run(number, partitions, len(keys), self._recent_newest_at_ms, self._recent_slot)
        connection.execute(DEDUPE["insert_run"], (number, partitions, run.count, run.newest_at_ms))
        connection.executemany(DEDUPE["insert_page"], _pages(run, keys))

        def remember() -> None:
            for old in doomed:
                self._forget(old)
            self._runs.append(run)
            self._recent, self._recent_keys = set(), []
            self._recent_slot = self._free_slot()

        return remember

    def expire(self, connection: sqlite3.Connection, now_ms: int) -> Remember | None:
        """Delete the oldest run, in the caller's transaction, if its ids left the window; None if they did not."""
        if not self._runs or self._runs[0].newest_at_ms >= now_ms - self._window_ms:
            return None
        run = self._runs[0]
        _delete(connection, run)
        return lambda: self._forget(run)

    def _crowded_out(self) -> list[Run]:
        """The oldest runs, as far as `max_ids` ids are remembered without them, and the filter's sets force it."""
        doomed: list[Run] = []
        left = len(self)
        for run in self._runs:
            left -= run.count
            if left < self._max_ids and len(self._runs) - len(doomed) < SETS - 1:
                break
            doomed.append(run)
        return doomed

    def _filter_the_rest(self) -> None:
        keys = keys_of(b"".join(self._unfiltered))
        self._filter.add(keys, self._recent_slot)
        self._recent_keys.append(keys)
        self._unfiltered = []

    def _is_in(self, connection: sqlite3.Connection, digest: bytes, candidates: int) -> bool:
        for run in self._runs:
            if candidates >> run.slot & 1:
                row = connection.execute(DEDUPE["page"], (run.page_of(digest),)).fetchone()
                if row is not None and position_of(digest, row[0]) >= 0:
                    return True
        return False

    def _free_slot(self) -> int:
        taken = {run.slot for run in self._runs}
        return next(slot for slot in range(SETS) if slot not in taken)

    def _forget(self, run: Run) -> None:
        self._runs.remove(run)
        self._filter.clear(run.slot)


def _delete(connection: sqlite3.Connection, run: Run) -> None:
    connection.execute(DEDUPE["delete_run"], (run.number,))
    connection.execute(DEDUPE["delete_pages"], run.pages)


def _pages(run: Run, keys: Keys) -> Iterator[tuple[int, bytes]]:
    """The run's pages with their digests."""
    partition_of = _partition_of(keys, run.partitions)
    order = np.argsort(partition_of, kind="stable")
    joined = keys[order].tobytes()
    ends = np.cumsum(np.bincount(partition_of, minlength=run.partitions)) * DIGEST_BYTES
    start = 0
    for partition, end in enumerate(ends.tolist()):
        if end > start:
            yield (run.number << _PAGE_BITS) + partition, joined[start:end]
        start = end


def _partition_of(keys: Keys, partitions: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """The first bits of each digest's first word, which numpy sorts by radix. `partitions` is 2 to the 1 ... 16."""
    return (keys[:, 0] >> np.uint64(65 - partitions.bit_length())).astype(np.uint16)
