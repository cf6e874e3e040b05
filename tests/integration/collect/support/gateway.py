"""The real listener on a real port, in front of a queue in memory."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from gateway.collect.server import Collector
from gateway.config import Settings
from gateway.model.clock import SystemClock
from gateway.observe.metrics import Metrics
from tests.integration.collect.support.memory_queue import MemoryQueue
from tests.integration.collect.support.peer import Peer, Response

NOW_S = 1_796_000_000


class StillClock(SystemClock):
    """The wall clock stands still, so that no test ends on another day than it began."""

    def now_ms(self) -> int:
        return NOW_S * 1000


class Gateway:
    """A running listener."""

    def __init__(self, collector: Collector, queue: MemoryQueue, metrics: Metrics, listener: socket.socket) -> None:
        self.collector = collector
        self.queue = queue
        self.metrics = metrics
        self.listener = listener
        self.port = 0 if listener.family == socket.AF_UNIX else int(listener.getsockname()[1])
        self._peers: list[Peer] = []

    async def connect(self) -> Peer:
        peer = Peer(*await asyncio.open_connection("127.0.0.1", self.port))
        self._peers.append(peer)
        return peer

    async def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
        """One request on a connection of its own."""
        peer = await self.connect()
        try:
            return await peer.request(method, path, body, **headers)
        finally:
            peer.close()

    def count(self, name: str, **labels: str) -> float:
        """A counter's value; zero where it has never counted."""
        return self.metrics.registry.get_sample_value(f"headwater_{name}_total", labels) or 0.0

    async def stop(self, drain_s: float = 0.0) -> None:
        for peer in self._peers:
            peer.close()
        await self.collector.stop(drain_s)
        self.listener.close()


Serve = Callable[..., Awaitable[Gateway]]


def make_settings(**sections: Any) -> Settings:
    """Settings with two sources: `web` (key `k`, pages of shop.example) and `server` (key `s`)."""
    sources = {
        "web": {"write_keys": ["k", "FAKE_WRITE_KEY"], "allowed_origins": ["https://shop.example"]},
        "server": {"write_keys": ["s"]},
    }
    return Settings.model_validate({"sources": sources} | sections)


async def start_gateway(listener: socket.socket | None = None, **sections: Any) -> Gateway:
    """Starts a listener with the sections of the configuration given, on a port of its own unless one is."""
    if listener is None:
        listener = socket.create_server(("127.0.0.1", 0))
    queue, metrics = MemoryQueue(), Metrics("test")
    collector = Collector(make_settings(**sections), queue, StillClock(), random.Random(1), metrics)  # type: ignore[arg-type]  # as much of the queue as intake uses
    await collector.serve([listener])
    return Gateway(collector, queue, metrics, listener)
