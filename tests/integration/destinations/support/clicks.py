"""Events whose order can be seen, and waiting for what becomes of their destination, which is called "stream"."""

import asyncio
from typing import Any

from tests.integration.deliver.support.gateway import Gateway
from tests.vendors.events import event


def clicks(count: int, people: int = 7, first: int = 0) -> list[dict[str, Any]]:
    """Numbered events of a few people."""
    return [
        event(n, userId=f"user-{n % people}", event="Click", properties={"n": n}) for n in range(first, first + count)
    ]


def by_person(count: int, people: int = 7) -> dict[str, list[int]]:
    """What each person did, when all that was is `clicks(count, people)`."""
    return {f"user-{n}": list(range(n, count, people)) for n in range(people)}


async def until(gateway: Gateway, state: str, words: str, timeout_s: float = 30) -> None:
    """The destination is in that state, for that reason."""
    async with asyncio.timeout(timeout_s):
        while gateway.status("stream").state != state or words not in gateway.status("stream").last_error:
            await asyncio.sleep(0.02)
