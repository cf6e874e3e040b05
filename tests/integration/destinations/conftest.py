"""A delivery to simulated vendors, each a real HTTP server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestServer

from gateway.model.clock import SystemClock
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Gateway
from tests.vendors.events import ENVELOPE
from tests.vendors.simulator import Simulator, application

Serve = Callable[..., Awaitable[str]]
"""Puts simulators on a server; its address."""


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(*simulators: Simulator) -> str:
        server = TestServer(application(simulators))
        await server.start_server(shutdown_timeout=0.1)
        servers.append(server)
        return str(server.make_url("")).rstrip("/")

    yield start
    for server in servers:
        await server.close()


async def store(queue: Queue, events: Sequence[Mapping[str, Any]]) -> None:
    """Put events into the queue as they are, received now."""
    envelope = ENVELOPE._replace(received_at_ms=SystemClock().now_ms())
    raws = [orjson.dumps(event) for event in events]
    await queue.submit(envelope, [event["messageId"] for event in events], raws)


async def settled(gateway: Gateway, name: str, timeout_s: float = 20) -> dict[str, int]:
    """The ledger, once every event has an outcome."""
    async with asyncio.timeout(timeout_s):
        while gateway.status(name).lag_events:
            await asyncio.sleep(0.02)
    return await gateway.ledger(name)
