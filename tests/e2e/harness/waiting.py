"""Waiting for what must come to be true, by asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE_S = 60.0
"""No promise: on a slow machine the same test only takes longer."""


async def until(
    condition: Callable[[], Awaitable[bool]] | Callable[[], bool],
    what: str,
    *,
    every_s: float = 0.05,
    patience_s: float = PATIENCE_S,
) -> None:
    """Returns once `condition` holds; fails with `what` when that never happens."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience_s
    while True:
        answer = condition()
        if await answer if not isinstance(answer, bool) else answer:
            return
        assert loop.time() < deadline, f"it never came true that {what}"
        await asyncio.sleep(every_s)
