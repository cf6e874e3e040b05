"""A running gateway without its public listener: queue, delivery and the operator's listener, and the command line."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import ClientSession, web
from click.testing import CliRunner, Result

from gateway.admin.control import Control
from gateway.admin.forgetting import Forgetting
from gateway.admin.server import Admin
from gateway.cli import main
from gateway.collect.by_hand import ByHand
from gateway.config import Settings, load_settings
from gateway.deliver.delivery import Delivery
from gateway.destinations import DESTINATIONS
from gateway.model.clock import SystemClock
from gateway.observe.health import Health
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from gateway.warehouses.registry import WAREHOUSES

Headwater = Callable[..., Awaitable[Result]]
"""Runs `headwater` with arguments."""

CONFIGURATION = """
[queue]
path = "{directory}/queue"
reserve = 0
min_free = 0

[sources.web]
write_keys = ["web-key"]
[sources.backend]
write_keys = ["backend-key"]

[destinations.warehouse]
type = "duckdb"
path = "{directory}/warehouse.duckdb"

[destinations.crm]
type = "webhook"
url = "{url}"
sources = ["web"]
retry = {{ first_delay = "50ms", max_delay = "50ms" }}
"""


@dataclass
class Receiver:
    """A webhook's other end: what it got, and the status that it answers."""

    url: str = ""
    status: int = 200
    received: list[dict[str, Any]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        event = await request.json() if request.can_read_body else None
        if event is not None and self.status == 200:
            self.received.append(event)
        return web.Response(status=self.status)


@dataclass
class Daemon:
    """The parts that tests steer or ask."""

    path: Path
    """Of the configuration."""
    address: str
    settings: Settings
    queue: Queue
    delivery: Delivery
    health: Health
    metrics: Metrics
    receiver: Receiver
    reloads: list[Settings] = field(default_factory=list)
    restart_needed: list[str] = field(default_factory=list)
    """What a reload says."""
    control: Control = field(init=False)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns once the condition holds."""
        while not condition():
            await asyncio.sleep(0.01)

    async def until_rejected(self) -> None:
        """Returns once a refusal is kept."""
        while not await self.queue.rejected(1):
            await asyncio.sleep(0.01)

    async def until_settled(self, destination: str) -> None:
        """Returns once every event has an outcome in `destination`, and none is being retried."""
        while True:
            cursors = {cursor.destination: cursor for cursor in await self.queue.cursors()}
            if cursors[destination].next_offset == self.queue.head_offset and not cursors[destination].retrying:
                return
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _log_goes_nowhere() -> Iterator[None]:
    """It would be mixed with what commands print."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    state = Receiver()
    runner = web.ServerRunner(web.Server(state.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    state.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield state
    await runner.cleanup()


@pytest.fixture
async def daemon(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Daemon]:
    async with running(tmp_path, receiver, "127.0.0.1:0") as started:
        yield started


@asynccontextmanager
async def running(directory: Path, receiver: Receiver, listen: str) -> AsyncIterator[Daemon]:
    """The daemon for as long as the block runs, put together as app.py does it."""
    path = directory / "headwater.toml"
    path.write_text(CONFIGURATION.format(directory=directory, url=receiver.url))
    settings = load_settings(path, [kind.settings for kind in (*DESTINATIONS, *WAREHOUSES)], {})
    clock, rng, metrics, health = SystemClock(), random.Random(1), Metrics("0.0.1"), Health()
    async with open_queue(settings.queue, clock, rng, metrics) as queue, asyncio.TaskGroup() as tasks:
        writer = tasks.create_task(queue.run(), name="queue.run")
        delivery = Delivery(queue, clock, rng, metrics, DESTINATIONS, WAREHOUSES, tasks)
        daemon = Daemon(path, "", settings, queue, delivery, health, metrics, receiver)

        async def reload() -> list[str]:
            daemon.reloads.append(load_settings(path, [kind.settings for kind in (*DESTINATIONS, *WAREHOUSES)], {}))
            daemon.settings = daemon.reloads[-1]
            await delivery.apply(daemon.settings.destinations)
            return daemon.restart_needed

        forgetting = Forgetting(queue, delivery, clock, metrics)
        send = ByHand(lambda: settings, queue, clock, rng).send
        daemon.control = Control(
            queue, delivery, metrics, clock, health, "0.0.1", lambda: daemon.settings, send, reload, forgetting
        )
        admin = Admin(listen, daemon.control)
        health.require_ready("queue", lambda: queue.status().refusing)
        await delivery.apply(settings.destinations)
        await admin.start()
        forgetter = tasks.create_task(forgetting.run(), name="admin.forget")
        health.phase = "running"
        daemon.address = listen if listen.startswith("unix:") else f"http://127.0.0.1:{admin.port}"
        try:
            yield daemon
        finally:
            forgetter.cancel()
            await delivery.stop(1)
            await admin.stop()
            writer.cancel()


@pytest.fixture
async def http(daemon: Daemon) -> AsyncIterator[ClientSession]:
    """A client of the admin listener."""
    async with ClientSession(daemon.address) as session:
        yield session


@pytest.fixture
def headwater(daemon: Daemon) -> Headwater:
    return headwater_at(daemon.address)


def headwater_at(address: str) -> Headwater:
    """The command line of a shell that has HEADWATER_ADMIN set."""

    async def invoke(*arguments: str, stdin: str | None = None) -> Result:
        runner = CliRunner(env={"HEADWATER_ADMIN": address, "COLUMNS": "200"})
        return await asyncio.to_thread(runner.invoke, main, arguments, stdin)

    return invoke
