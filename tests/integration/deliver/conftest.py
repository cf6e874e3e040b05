"""A delivery with real HTTP servers at its other end."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.config import DestinationSettings, QueueSettings
from gateway.destinations import DESTINATIONS
from gateway.destinations.webhook import WebhookSettings
from gateway.model.clock import SystemClock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from gateway.warehouses import WarehouseKind
from tests.integration.deliver.support.gateway import FAST, Delivery, Eventually, Gateway, MakeWebhook, Run
from tests.integration.deliver.support.peer import Peer, StartPeer


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
    async def running(
        destinations: Mapping[str, DestinationSettings],
        warehouses: Sequence[WarehouseKind[Any]] = (),
        drain_s: float = 5.0,
    ) -> AsyncIterator[Gateway]:
        metrics = Metrics("test")
        async with asyncio.TaskGroup() as tasks:
            delivery = Delivery(queue, SystemClock(), random.Random(1), metrics, DESTINATIONS, warehouses, tasks)
            await delivery.apply(destinations)
            yield Gateway(queue, delivery, metrics, sent=queue.head_offset)
            await delivery.stop(drain_s)

    return running


@pytest.fixture
async def peers() -> AsyncIterator[StartPeer]:
    """Starts webhook receivers, each a real server."""
    servers: list[TestServer] = []

    async def start() -> Peer:
        peer = Peer()
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/in", peer.handle)
        server = TestServer(app)
        await server.start_server(shutdown_timeout=0.1)
        servers.append(server)
        peer.url = str(server.make_url("/in"))
        return peer

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
async def peer(peers: StartPeer) -> Peer:
    """The receiver that a test is about."""
    return await peers()


@pytest.fixture
async def neighbour(peers: StartPeer) -> Peer:
    """A receiver that works, beside the one that a test is about."""
    return await peers()


@pytest.fixture
def eventually() -> Eventually:
    """Waits for a condition, which may be a coroutine function."""

    async def wait(condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not (await value if asyncio.iscoroutine(value := condition()) else value):
                await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def webhook() -> MakeWebhook:
    """Settings of a webhook to a peer, quick to try again."""

    def settings(to: Peer, **more: Any) -> WebhookSettings:
        return WebhookSettings(**{"url": to.url, "retry": FAST, "timeout": 2, **more})

    return settings
