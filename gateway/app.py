"""Builds the daemon from its rooms and owns the order in which they start and stop.

The only place that knows all rooms. They start from the queue outwards and stop in reverse: accept no more and answer
what came in, let sends end and save cursors, close the queue last. A task that dies takes the daemon with it, and
systemd starts it again.
"""

import asyncio
import gc
import random
import signal
import socket
from collections.abc import AsyncIterator, Mapping, MutableMapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway import __version__
from gateway.admin.control import Control
from gateway.admin.forgetting import Forgetting
from gateway.admin.server import Admin
from gateway.collect.by_hand import ByHand
from gateway.collect.server import Collector
from gateway.config import DestinationSettings, Settings
from gateway.deliver.delivery import Delivery, Treatment
from gateway.deliver.plans import KindTable
from gateway.deliver.probe import probe_tool, probe_warehouse
from gateway.enrich import open_enricher
from gateway.kinds import Configuration, read_configuration
from gateway.model.clock import SystemClock
from gateway.model.errors import ConfigError, HeadwaterError
from gateway.observe.health import Health, Heartbeat
from gateway.observe.listen import open_listener
from gateway.observe.logging import configure_logging
from gateway.observe.metrics import Metrics
from gateway.observe.notify import Notifier
from gateway.queue import Queue, open_queue
from gateway.transforms import Runner, TransformsError, chains_of

QUEUE_SILENCE_LIMIT_S = 15.0
GARBAGE_THRESHOLD = 20_000
"""Objects made before garbage is looked for. The default, 700, is fewer than the requests in hand are made of: it would
search them again and again, and find that all are in use."""
STOP_GRACE_S = 5.0
"""Beyond `server.drain`: what a stop may take when a part of the daemon does not answer any more."""


async def run(path: Path, environ: MutableMapping[str, str]) -> None:
    """Run the daemon until SIGTERM or SIGINT; SIGHUP reads the configuration again.

    Raises HeadwaterError when it cannot start, and an ExceptionGroup when one of its tasks died.
    """
    settings, kinds = await verified_configuration(path, environ)
    configure_logging(settings.log)
    clock, rng, metrics = SystemClock(), random.Random(), Metrics(__version__)  # noqa: S311 - jitter and ids, no secrets
    notifier, health = Notifier(environ, clock), Health()
    sockets = open_listener(settings.server.listen, environ)
    try:
        async with open_queue(settings.queue, clock, rng, metrics) as queue, asyncio.TaskGroup() as tasks:
            delivery = Delivery(queue, clock, rng, metrics, kinds.tools, kinds.warehouses, tasks)
            collector = Collector(settings, queue, clock, rng, metrics)
            forgetting = Forgetting(queue, delivery, clock, metrics)
            reloader = Reloader(path, environ, settings, collector, delivery, notifier)
            control = Control(
                queue=queue,
                delivery=delivery,
                metrics=metrics,
                clock=clock,
                health=health,
                version=__version__,
                settings=lambda: reloader.settings,
                send=ByHand(lambda: reloader.settings, queue, clock, rng).send,
                reload=reloader.reload,
                forgetting=forgetting,
            )
            async with (
                _writing(queue, tasks, Heartbeat(clock, QUEUE_SILENCE_LIMIT_S, "the queue's writer"), notifier, health),
                _answering_the_operator(Admin(settings.admin.listen, control)),
                _delivering(delivery, settings),
                _forgetting(forgetting, tasks),
                _collecting(collector, sockets, settings.server.drain),
            ):
                await _until_told_to_stop(reloader, tasks, health, notifier)
    except ExceptionGroup as group:
        if len(group.exceptions) == 1 and isinstance(group.exceptions[0], HeadwaterError):
            raise group.exceptions[0] from None
        raise


class Findings(NamedTuple):
    """What `headwater check` found out about the enabled destinations, by name."""

    troubles: Mapping[str, str]
    """What keeps one from being used."""
    untried: Mapping[str, str]
    """Why one could not be tried."""


async def check(path: Path, environ: Mapping[str, str]) -> Findings:
    """Try every enabled destination of the configuration, without delivering, making or changing anything.

    Raises ConfigError with every fault of the file, and TransformsError where the owner's code cannot be loaded.
    """
    settings, kinds = await verified_configuration(path, environ)
    table = kinds.table()
    enabled = {name: each for name, each in settings.destinations.items() if each.enabled}
    troubles = await asyncio.gather(*(_probe(each, table) for each in enabled.values()))
    tools = {name: tool for name, each in enabled.items() if (tool := table.tools.get(type(each)))}
    return Findings(
        troubles={name: trouble for name, trouble in zip(enabled, troubles, strict=True) if trouble},
        untried={name: tool.unasked for name, tool in tools.items() if tool.probe is None},
    )


async def verified_configuration(path: Path, environ: Mapping[str, str]) -> Configuration:
    """The configuration, once the owner's transforms were loaded in a process that ends again.

    Raises ConfigError with every fault of the file, TransformsError with the traceback of code that cannot be loaded.
    """
    configuration = read_configuration(path, environ)
    chains = chains_of(configuration.settings)
    files = {code for each in configuration.settings.destinations.values() for code in chains.files(each.transforms)}
    if files:
        async with aclosing(Runner(sorted(files), chains.timeout_s)) as runner:
            await runner.start()
    with open_enricher(configuration.settings.enrich):
        return configuration


def treatment_of(settings: Settings) -> Treatment:
    """What the events of every destination go through."""
    plans = {name: source.tracking_plan for name, source in settings.sources.items() if source.tracking_plan.path}
    return Treatment(chains_of(settings), settings.enrich, plans)


async def _probe(settings: DestinationSettings, kinds: KindTable) -> str | None:
    if warehouse := kinds.warehouses.get(type(settings)):
        return await probe_warehouse(warehouse, settings, SystemClock())
    return await probe_tool(kinds.tools[type(settings)], settings)


async def _until_told_to_stop(
    reloader: "Reloader", tasks: asyncio.TaskGroup, health: Health, notifier: Notifier
) -> None:
    loop, stopped, log = asyncio.get_running_loop(), asyncio.Event(), structlog.get_logger()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: tasks.create_task(reloader.reload_or_log(), name="app.reload"))
    gc.collect()
    gc.freeze()  # what lives as long as the daemon is not searched for garbage again: each time took 40 ms
    gc.set_threshold(GARBAGE_THRESHOLD)
    health.phase = "running"
    notifier.ready()
    log.info("daemon.started", version=__version__, listen=reloader.settings.server.listen)
    try:
        await stopped.wait()
    finally:
        log.info("daemon.stopping")
        health.phase = "stopping"
        notifier.stopping()


@asynccontextmanager
async def _writing(
    queue: Queue, tasks: asyncio.TaskGroup, heartbeat: Heartbeat, notifier: Notifier, health: Health
) -> AsyncIterator[None]:
    """The queue's own loop: it feeds the watchdog, and without it the daemon is not alive."""

    def beat() -> None:
        heartbeat.beat()
        notifier.beat()

    queue.on_heartbeat = beat
    health.require_alive("queue", heartbeat.check)
    health.require_ready("queue", lambda: queue.status().refusing)
    writer = tasks.create_task(queue.run(), name="queue.run")
    try:
        yield
    finally:
        writer.cancel()


@asynccontextmanager
async def _answering_the_operator(admin: Admin) -> AsyncIterator[None]:
    await admin.start()
    try:
        yield
    finally:
        await admin.stop()


@asynccontextmanager
async def _delivering(delivery: Delivery, settings: Settings) -> AsyncIterator[None]:
    try:
        await delivery.apply(settings.destinations, treatment_of(settings))
        yield
    finally:
        try:
            async with asyncio.timeout(settings.server.drain + STOP_GRACE_S):
                await delivery.stop(settings.server.drain)
        except TimeoutError:
            structlog.get_logger().error("daemon.delivery_did_not_stop")


@asynccontextmanager
async def _forgetting(forgetting: Forgetting, tasks: asyncio.TaskGroup) -> AsyncIterator[None]:
    """Its orders are on disk: the next start goes on with them."""
    task = tasks.create_task(forgetting.run(), name="admin.forget")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _collecting(collector: Collector, sockets: Sequence[socket.socket], drain_s: float) -> AsyncIterator[None]:
    await collector.serve(sockets)
    try:
        yield
    finally:
        await collector.stop(drain_s)


class Reloader:
    """Puts a changed configuration into force without dropping a connection."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        settings: Settings,
        collector: Collector,
        delivery: Delivery,
        notifier: Notifier,
    ) -> None:
        self._path = path
        self._environ = environ
        self._collector = collector
        self._delivery = delivery
        self._notifier = notifier
        self._reloading = asyncio.Lock()
        self._started_with = settings
        self.settings = settings
        """Those in force."""

    async def reload(self) -> Sequence[str]:
        """Read the file again; the changed settings that wait for a restart.

        Raises ConfigError or TransformsError, and then the old settings stay.
        """
        async with self._reloading:
            self._notifier.reloading()
            try:
                settings, kinds = await verified_configuration(self._path, self._environ)
                self._collector.reload(settings)
                await self._delivery.apply(settings.destinations, treatment_of(settings), kinds.tools)
                self.settings = settings
            finally:
                self._notifier.ready()
            log = structlog.get_logger()
            log.info("daemon.reloaded", path=str(self._path))
            if waiting := restart_needed(self._started_with, settings):
                log.warning("daemon.restart_needed", settings=waiting)
            return waiting

    async def reload_or_log(self) -> None:
        """The same for a signal, which has nobody to tell."""
        try:
            await self.reload()
        except (ConfigError, TransformsError) as error:
            structlog.get_logger().error("daemon.reload_refused", error=str(error))


def restart_needed(old: Settings, new: Settings) -> list[str]:
    """What differs of the settings that are read once: those of the listeners, the queue and the log."""
    fixed = {section: type(getattr(new, section)).model_fields for section in ("admin", "queue", "log")}
    names = [("server", "listen"), ("server", "drain")]
    names += [(section, name) for section, fields in fixed.items() for name in fields]
    return [
        f"{section}.{name}"
        for section, name in names
        if getattr(getattr(old, section), name) != getattr(getattr(new, section), name)
    ]
