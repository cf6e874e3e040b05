"""A delivery to simulated vendors, each a real HTTP server."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp.test_utils import TestServer

from gateway.config import DestinationSettings, QueueSettings
from gateway.deliver.delivery import Delivery
from gateway.destinations import DESTINATIONS
from gateway.model.clock import SystemClock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from tests.integration.deliver.support.gateway import Gateway, Run
from tests.vendors.events import ENVELOPE
from tests.vendors.simulator import Simulator, application

Serve = Callable[..., Awaitable[str]]
"""Puts simulators on a server; its address."""


@pytest.fixture
async def queue(tmp_path: Path) -> AsyncIterator[Queue]:
    """A real queue, with its writer at work."""
    settings = QueueSettings(path=tmp_path / "queue", min_free=0, reserve=0)
    async with open_queue(settings, SystemClock(), random.Random(1), Metrics("test")) as queue:
        writer = asyncio.get_running_loop().create_task(queue.run(), name="queue.run")
        yield queue
        writer.cancel()


@pytest.fixture
def run(queue: Queue) -> Run:
    """Delivery to the given destinations, for as long as the context."""

    @asynccontextmanager
    async def running(destinations: Mapping[str, DestinationSettings], drain_s: float = 5.0) -> AsyncIterator[Gateway]:
        metrics = Metrics("test")
        async with asyncio.TaskGroup() as tasks:
            delivery = Delivery(queue, SystemClock(), random.Random(1), metrics, DESTINATIONS, (), tasks)
            await delivery.apply(destinations)
            yield Gateway(queue, delivery, metrics, sent=queue.head_offset)
            await delivery.stop(drain_s)

    return running


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
