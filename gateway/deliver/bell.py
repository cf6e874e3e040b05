"""Waking a coroutine that waits for a change or for a time, whichever comes first."""

import asyncio
import math


class Bell:
    """One coroutine waits, anybody rings. A ring while nobody waits is heard by the next wait, so none is lost."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something changed."""
        self._rung.set()

    async def heard(self, timeout_s: float | None) -> None:
        """Until it rings, or `timeout_s` has passed; None and infinity wait for the ring alone."""
        try:
            async with asyncio.timeout(None if timeout_s is None or math.isinf(timeout_s) else timeout_s):
                await self._rung.wait()
        except TimeoutError:
            return
        self._rung.clear()
