"""A queue in a temporary directory, with a clock that moves when told to."""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from gateway.config import QueueSettings
from gateway.model.clock import ManualClock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue

OpenQueue = Callable[..., AbstractAsyncContextManager[Queue]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("test")


@pytest.fixture
def open_at(tmp_path: Path, clock: ManualClock, metrics: Metrics) -> OpenQueue:
    """Open the queue of this test, again and again if need be; keywords are settings."""

    def open_at(**settings: object) -> AbstractAsyncContextManager[Queue]:
        values = {"path": tmp_path / "queue", "reserve": 0, "min_free": 0, **settings}
        return open_queue(QueueSettings(**values), clock, random.Random(1), metrics)

    return open_at
