"""One configuration of the public listener, made ready: which request is answered by what. A reload makes a new one."""

import structlog
from aiohttp import hdrs

from gateway.collect.addresses import Addresses
from gateway.collect.answers import INTERNAL_ERROR, NOT_FOUND, answer, method_not_allowed
from gateway.collect.cors import Cors
from gateway.collect.exchange import Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.limits import AddressBuckets
from gateway.collect.refusals import Refusal
from gateway.collect.route_table import build_routes
from gateway.collect.services import Services
from gateway.collect.sources import Sources
from gateway.config import Settings


class Site:
    """Answers requests under one configuration."""

    def __init__(self, settings: Settings, services: Services, by_address: AddressBuckets | None) -> None:
        sources = Sources(settings.sources, services.metrics, services.clock.monotonic_s(), settings.script.cookie)
        addresses = Addresses(settings.server.trusted_proxies)
        self._ingest = Ingest(sources, addresses, by_address, services)
        self._cors = Cors(source.origins for source in sources.by_name.values())
        self._log = structlog.get_logger()
        self._routes = build_routes(settings, services, sources, addresses, self._ingest)

    def handle(self, exchange: Exchange) -> None:
        """Answer a request, now or later, whatever happens."""
        try:
            self._handle(exchange)
        except Exception:  # noqa: BLE001 - the outermost frame: a fault of ours is logged and answered, whatever it is
            self._log.exception("collect.request_failed", route=exchange.route.name)
            exchange.reply(INTERNAL_ERROR)

    def _handle(self, exchange: Exchange) -> None:
        route = exchange.route = self._routes.find(exchange)
        origin = exchange.header(hdrs.ORIGIN)
        exchange.cors = self._cors.lines(origin)
        fault = exchange.fault
        if isinstance(fault, Refusal):
            self._ingest.refuse(exchange, fault)
            return
        if fault is not None:
            exchange.reply(fault)
            return
        method: str = exchange.message.method
        handler = route.handlers.get(method)
        if handler is not None:
            handler(exchange)
        elif method == "OPTIONS":
            exchange.cors = self._cors.preflight_lines(origin)
            exchange.reply(PREFLIGHT)
        else:
            exchange.reply(method_not_allowed(tuple(route.handlers)) if route.handlers else NOT_FOUND)


PREFLIGHT = answer(204, headers=(("Allow", "GET, HEAD, POST, OPTIONS"),))
