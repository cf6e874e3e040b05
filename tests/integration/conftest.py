"""A queue and a delivery, as the tests of several rooms need them."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.config import DestinationSettings, QueueSettings
from gateway.deliver.delivery import Delivery
from gateway.destinations import DESTINATIONS
from gateway.model.clock import SystemClock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from gateway.warehouses import WarehouseKind
from tests.integration.deliver.support.gateway import Gateway, Run


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
