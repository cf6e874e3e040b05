"""The public listener: accepts connections, watches over them, and stops without losing a request."""

import asyncio
import random
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import structlog

from gateway.collect.connection import Connection
from gateway.collect.daily_ids import DailyIds
from gateway.collect.limits import AddressBuckets
from gateway.collect.reception import ConnectionLimits, Reception
from gateway.collect.rejects import Rejects
from gateway.collect.routes import Route
from gateway.collect.services import Services
from gateway.collect.site import Site
from gateway.config import RateSettings, ServerSettings, Settings
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.script import Assets, load_assets, with_former

BACKLOG = 4096
"""Connections that the kernel keeps for us while we, or our successor, are busy. It caps it at net.core.somaxconn."""
SWEEP_INTERVAL_S = 0.25
DRAIN_INTERVAL_S = 0.02
DIGEST_THREADS = 1
"""For large bodies. One is enough: the interpreter runs one at a time, and the rest of the body's cost is ours."""


class Collector:
    """HTTP in. `serve`, then `reload` as often as wanted, then `stop`."""

    def __init__(self, settings: Settings, queue: Queue, clock: Clock, rng: random.Random, metrics: Metrics) -> None:
        self._clock = clock
        self._log = structlog.get_logger()
        self._pool = ThreadPoolExecutor(DIGEST_THREADS, thread_name_prefix="collect.digest")
        rejects = Rejects(queue, clock, metrics)
        self._services = Services(
            queue, clock, rng, metrics, _assets(settings, self._log), rejects, self._pool, DailyIds()
        )
        self._rate_per_ip = RateSettings()
        self._by_address: AddressBuckets | None = None
        self._site = self._make_site(settings)
        malformed = Route("malformed", {}, metrics.requests)
        self._reception = Reception(_limits(settings.server), clock, self._site.handle, malformed)
        metrics.in_flight_bytes.set_function(lambda: self._reception.in_flight_bytes)
        self._servers: list[asyncio.Server] = []
        self._sweeping: asyncio.TimerHandle | None = None

    async def serve(self, sockets: Sequence[socket.socket]) -> None:
        """Start accepting on bound sockets. They stay the caller's: a duplicate is listened on, and closed by `stop`,
        so that a socket that systemd or a parent holds goes on queueing connections for the next daemon."""
        loop = asyncio.get_running_loop()
        self._sweep()
        for each in sockets:
            listener = each.dup()
            create = loop.create_unix_server if listener.family == socket.AF_UNIX else loop.create_server
            self._servers.append(await create(self._connect, sock=listener, backlog=BACKLOG))

    def reload(self, settings: Settings) -> None:
        """Use other settings from the next request on. Connections stay; requests in hand finish as they began."""
        self._site = self._make_site(settings)
        self._reception.handle = self._site.handle
        self._reception.limits = _limits(settings.server)

    async def stop(self, drain_s: float) -> None:
        """Accept no more, answer what has come and what comes within the grace, and close every connection.

        Returns as soon as that is done, at the latest after `drain_s` seconds.
        """
        reception = self._reception
        reception.is_draining = True
        for server in self._servers:
            server.close()
        for connection in list(reception.connections):
            connection.drain()
        end_s = self._clock.monotonic_s() + drain_s
        while reception.connections and self._clock.monotonic_s() < end_s:
            self._expire_due()
            await asyncio.sleep(DRAIN_INTERVAL_S)
        if reception.connections:
            self._log.warning("collect.connections_cut", connections=len(reception.connections))
        for connection in list(reception.connections):
            connection.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _connect(self) -> Connection:
        return Connection(self._reception)

    def _make_site(self, settings: Settings) -> Site:
        """Buckets of addresses are kept while their rate stays the same: a reload is no amnesty."""
        rate = settings.server.rate_per_ip
        if rate != self._rate_per_ip:
            self._rate_per_ip = rate
            self._by_address = AddressBuckets(rate) if rate.per_second else None
        return Site(settings, self._services, self._by_address)

    def _sweep(self) -> None:
        """One timer for all connections, instead of one or two for each request."""
        date = formatdate(self._clock.now_ms() / 1000, usegmt=True)
        self._reception.date_line = f"Date: {date}\r\n".encode()
        self._expire_due()
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP_INTERVAL_S, self._sweep)

    def _expire_due(self) -> None:
        now_s = self._clock.monotonic_s()
        for connection in [each for each in self._reception.connections if each.deadline_s <= now_s]:
            connection.expire()


def _assets(settings: Settings, log: structlog.typing.FilteringBoundLogger) -> Assets:
    """The script, with what pages may have pinned of earlier releases. It is worth a warning and not a refusal to start
    when those cannot be kept: the queue beside them says so for itself."""
    assets = load_assets()
    try:
        return with_former(assets, settings.queue.path / "script")
    except OSError as error:
        log.warning("script.releases_not_kept", error=str(error))
        return assets


def _limits(server: ServerSettings) -> ConnectionLimits:
    return ConnectionLimits(
        max_body_bytes=server.max_body,
        max_in_flight_bytes=server.max_in_flight,
        max_connections=server.max_connections,
        request_timeout_s=server.body_timeout,
        ack_timeout_s=server.ack_timeout,
    )
