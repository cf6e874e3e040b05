"""The live tail: each committed chunk, for as many watchers as there are."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gateway.model.envelope import Batch

_WAITING_BATCHES = 64
"""For each watcher; a slow one misses chunks rather than slowing the others or filling memory."""


class Tail:
    """Who watches the log as it grows."""

    def __init__(self) -> None:
        self._watchers: list[asyncio.Queue[Batch]] = []

    def tell(self, batches: Sequence[Batch]) -> None:
        """These chunks are committed."""
        for watcher in self._watchers:
            for batch in batches:
                if not watcher.full():
                    watcher.put_nowait(batch)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[Batch]]:
        """The chunks committed from now on."""
        watcher: asyncio.Queue[Batch] = asyncio.Queue(_WAITING_BATCHES)
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)
