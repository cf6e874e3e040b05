"""The listener itself: routes, start and stop."""

import asyncio
from pathlib import Path

from aiohttp import web

from gateway.admin import erasure, letters, orders, persons, probes, queries
from gateway.admin.backfill import backfill
from gateway.admin.control import CONTROL, Control
from gateway.admin.guard import guard
from gateway.admin.tail import MOST_WATCHERS, WATCHERS, tail
from gateway.model.errors import ConfigError

MAX_BODY_BYTES = 2 * 2**20
STOP_S = 1.0
"""How long a stopping daemon waits for an answer under way; only watchers take longer."""
SOCKET_MODE = 0o660

ROUTES = (
    web.get("/metrics", probes.metrics),
    web.get("/healthz", probes.healthz),
    web.get("/readyz", probes.readyz),
    web.get("/api/status", queries.status),
    web.get("/api/ledger", queries.ledger),
    web.get("/api/trace/{message_id:.+}", queries.trace),
    web.get("/api/preview/{destination}/{message_id:.+}", queries.preview),
    web.get("/api/rejects", queries.rejects),
    web.get("/api/tail", tail),
    web.post("/api/sql", queries.sql),
    web.get("/api/warehouse/verify/{destination}", queries.verify_warehouse),
    web.get("/api/person", persons.person),
    web.post("/api/person/unmerge", persons.unmerge),
    web.post("/api/person/rebuild", persons.rebuild),
    web.get("/api/person/export", erasure.export),
    web.get("/api/forget", erasure.orders),
    web.post("/api/forget", erasure.forget),
    web.get("/api/dead", letters.list_letters),
    web.get("/api/dead/{id}", letters.show_letter),
    web.post("/api/dead/retry", letters.retry_letters),
    web.post("/api/dead/drop", letters.drop_letters),
    web.post("/api/send", orders.send),
    web.post("/api/replay", orders.replay),
    web.post("/api/backfill", backfill),
    web.post("/api/resume", orders.resume),
    web.post("/api/reload", orders.reload),
    web.post("/api/destinations/drop", orders.drop_destination),
)


class Admin:
    """The operator's listener on `listen` (host:port or unix:/path)."""

    def __init__(self, listen: str, control: Control) -> None:
        self._listen = listen
        application = web.Application(middlewares=[guard(listen)], client_max_size=MAX_BODY_BYTES)
        application[CONTROL] = control
        application[WATCHERS] = asyncio.Semaphore(MOST_WATCHERS)
        application.add_routes(ROUTES)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=STOP_S)

    async def start(self) -> None:
        """Accept requests. Raises ConfigError when the address cannot be had."""
        await self._runner.setup()
        try:
            await self._site().start()
        except OSError as error:
            await self._runner.cleanup()
            hint = "is another daemon running? else change it"
            raise ConfigError(f"admin.listen {self._listen}: {error.strerror or error}", hint=hint) from error

    async def stop(self) -> None:
        """Stop accepting, and end what is under way."""
        await self._runner.cleanup()

    @property
    def port(self) -> int:
        """The TCP port that was got, where the configuration left the choice to the system."""
        return int(self._runner.addresses[0][1])

    def _site(self) -> web.BaseSite:
        if self._listen.startswith("unix:"):
            return _UnixSite(self._runner, self._listen.removeprefix("unix:"))
        host, _, port = self._listen.rpartition(":")
        return web.TCPSite(self._runner, host.strip("[]"), int(port))


class _UnixSite(web.UnixSite):
    """Open to the group, and to nobody else, whatever the umask."""

    async def start(self) -> None:
        await super().start()
        _open_to_group(Path(self._path))


def _open_to_group(path: Path) -> None:
    path.chmod(SOCKET_MODE)
