"""What was stored lately, so that what only says it again need not be looked at."""

from collections import OrderedDict
from collections.abc import Hashable

REMEMBERED = 100_000


class Memory:
    """The earliest time at which each thing was said. It follows the file: what a load says counts after its commit."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, int] = OrderedDict()
        self._said: dict[Hashable, int] = {}

    def is_news(self, key: Hashable, us: int) -> bool:
        """Whether it was not said before, or happened before that."""
        known = self._known.get(key)
        if known is not None and known <= us:
            return False
        self._said[key] = us
        return True

    def settle(self) -> None:
        """The load was committed."""
        self._known |= self._said
        self._said.clear()
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def begin(self) -> None:
        """A load begins; what the one before it said, if it was not committed, was not said."""
        self._said.clear()
