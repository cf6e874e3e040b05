"""Waiting for the queue's disk: full or failing, it keeps every event, so delivery waits and loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from gateway.model.errors import QueueUnavailableError

T = TypeVar("T")

PAUSE_S = 1.0


async def when_available(operation: Callable[[], Awaitable[T]], destination: str) -> T:
    """The operation's result, from the first attempt that the disk does not refuse."""
    while True:
        try:
            return await operation()
        except QueueUnavailableError as error:
            structlog.get_logger().warning("destination.disk", destination=destination, error=str(error))
            await asyncio.sleep(PAUSE_S)
