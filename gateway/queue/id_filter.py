"""A Bloom filter for each of 64 sets, side by side.

Bit r of a word belongs to set r, so that one gather for each probe asks all sets at once: a lookup costs the same with
one set and with 64, and its answer names the sets that may hold the id.
"""

import numpy as np
from numpy.typing import NDArray

SETS = 64
_PROBES = 5
_WORDS_PER_ID = 16
"""At least: the number of words is a power of two. One id in 2,000 is then found in a set that does not hold it."""

Keys = NDArray[np.uint64]
"""Two words of hash for each id: shape (ids, 2)."""


class IdFilter:
    """Which sets may hold an id: never misses one that does."""

    def __init__(self, ids_per_set: int) -> None:
        words = 1 << (max(ids_per_set, 64) * _WORDS_PER_ID - 1).bit_length()
        self._words = np.zeros(words, np.uint64)
        self._mask = np.uint64(words - 1)

    def add(self, keys: Keys, number: int) -> None:
        """Put ids into set `number`."""
        bit = np.uint64(1 << number)
        for probe in range(_PROBES):
            self._words[self._slots(keys, probe)] |= bit

    def clear(self, number: int) -> None:
        """Empty set `number`."""
        self._words &= np.uint64(~(1 << number) & (2**64 - 1))

    def sets(self, keys: Keys) -> NDArray[np.uint64]:
        """For each id a word whose bit r says that set r may hold it."""
        found = self._words[self._slots(keys, 0)]
        for probe in range(1, _PROBES):
            found &= self._words[self._slots(keys, probe)]
        return found

    def _slots(self, keys: Keys, probe: int) -> NDArray[np.uint64]:
        """Double hashing: the second word, made odd, is the stride. The sum may wrap; only its low bits count."""
        return (keys[:, 0] + np.uint64(probe) * (keys[:, 1] | np.uint64(1))) & self._mask
