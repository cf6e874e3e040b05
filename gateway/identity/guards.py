"""What keeps a flood from making one person of many: bounds that depend on what came when.

They can only keep apart. What they refused is kept with the reason, and `headwater person rebuild` judges it anew.
"""

from collections import Counter

from gateway.identity.devices import HOUR_US
from gateway.identity.evidence import Pair
from gateway.model.person import Identifier

FROZEN = "frozen"
MAX_COUNTED = 200_000
"""Identifiers whose links of the present hour are counted."""


class Guards:
    """Counts how many others each identifier gains in an hour of the clock, and freezes those that gain too many."""

    def __init__(self, max_links_an_hour: int) -> None:
        self.frozen: set[Identifier] = set()
        self._newly_frozen: list[Identifier] = []
        self._max_links = max_links_an_hour
        self._gained: Counter[Identifier] = Counter()
        self._hour = 0

    def admits(self, pair: Pair, now_us: int) -> bool:
        """Whether two identifiers that were never linked before may be linked at this time."""
        self._turn_to(now_us // HOUR_US)
        if not self.frozen.isdisjoint(pair):
            return False
        for identifier in pair:
            self._gained[identifier] += 1
            if self._gained[identifier] > self._max_links and identifier not in self.frozen:
                self.frozen.add(identifier)
                self._newly_frozen.append(identifier)
        return self.frozen.isdisjoint(pair)

    def take_frozen(self) -> list[Identifier]:
        """Those that were frozen since the last call."""
        frozen, self._newly_frozen = self._newly_frozen, []
        return frozen

    def _turn_to(self, hour: int) -> None:
        if hour != self._hour or len(self._gained) > MAX_COUNTED:
            self._hour = hour
            self._gained.clear()
