"""Intake, the queue on disk and delivery, as app.py puts them together: from a request to what a destination hears."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.app import treatment_of
from gateway.collect.server import Collector
from gateway.config import DestinationSettings, QueueSettings, Settings
from gateway.deliver.delivery import Delivery
from gateway.destinations import DESTINATIONS
from gateway.model.clock import SystemClock
from gateway.model.envelope import Stored
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from gateway.warehouses import WarehouseKind
from tests.e2e.harness.files import everything_in
from tests.integration.collect.support.gateway import Gateway, make_settings


@dataclass
class Daemon:
    """The parts that tests steer or ask."""

    path: Path
    """Of the queue."""
    gateway: Gateway
    queue: Queue
    delivery: Delivery
    destinations: Mapping[str, DestinationSettings]

    async def stored(self) -> list[Stored]:
        """The log."""
        batches = await self.queue.read(self.queue.first_offset, 10_000, 2**26) if self.queue.head_offset else []
        return [stored for batch in batches for stored in batch]

    async def written(self) -> bytes:
        """Every byte of the queue's files, those of compressed chunks as they were before, once all of it is there."""
        await self.queue.maintain()
        return everything_in(self.path)

    async def reload(self, **sections: Any) -> None:
        """Put another configuration into force."""
        settings = _settings(self.path, sections)
        self.gateway.collector.reload(settings)
        await self.delivery.apply(self.destinations, treatment_of(settings))

    async def until_settled(self, *destinations: str) -> None:
        """Returns once every event has an outcome there."""
        async with asyncio.timeout(20):
            while True:
                cursors = {each.destination: each for each in await self.queue.cursors()}
                if all(
                    cursors[name].next_offset == self.queue.head_offset and not cursors[name].retrying
                    for name in destinations
                ):
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(
    path: Path,
    sections: Mapping[str, Any],
    destinations: Mapping[str, DestinationSettings] | None = None,
    warehouses: Sequence[WarehouseKind[Any]] = (),
) -> AsyncIterator[Daemon]:
    """A daemon with these sections of the configuration, whose queue is in `path`."""
    clock, rng, metrics = SystemClock(), random.Random(1), Metrics("test")
    settings = _settings(path, sections)
    queue_settings = QueueSettings(path=path, reserve=0, min_free=0)
    async with open_queue(queue_settings, clock, rng, metrics) as queue, asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(queue.run())
        delivery = Delivery(queue, clock, rng, metrics, DESTINATIONS, warehouses, tasks)
        await delivery.apply(destinations or {}, treatment_of(settings))
        listener = socket.create_server(("127.0.0.1", 0))
        collector = Collector(settings, queue, clock, rng, metrics)
        await collector.serve([listener])
        gateway = Gateway(collector, queue, metrics, listener)  # type: ignore[arg-type]  # the real one
        try:
            yield Daemon(path, gateway, queue, delivery, destinations or {})
        finally:
            await gateway.stop()
            await delivery.stop(5)
            writing.cancel()


def _settings(path: Path, sections: Mapping[str, Any]) -> Settings:
    return make_settings(**({"queue": {"path": path}} | dict(sections)))
