"""A delivery with real HTTP servers at its other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.destinations.webhook import WebhookSettings
from tests.integration.deliver.support.gateway import FAST, Eventually, MakeWebhook
from tests.integration.deliver.support.peer import Peer, StartPeer


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
