"""One configuration of the public listener, made ready: which request is answered by what. A reload makes a new one."""

from collections.abc import Mapping
from functools import partial

import structlog
from aiohttp import hdrs

from gateway.collect.addresses import Addresses
from gateway.collect.answers import ACCEPTED, INTERNAL_ERROR, NOT_FOUND, answer, method_not_allowed
from gateway.collect.cors import Cors
from gateway.collect.dialects.pixel import serve_pixel
from gateway.collect.exchange import Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.limits import AddressBuckets
from gateway.collect.refusals import Refusal
from gateway.collect.routes import Handler, Route, Routes
from gateway.collect.sdk_settings import serve_settings, serve_source_config
from gateway.collect.services import Services
from gateway.collect.sources import Sources
from gateway.collect.static_files import demo_files, script_files, serve_robots
from gateway.config import Settings
from gateway.model.event import EVENT_TYPES
from gateway.model.ids import uuid7
from gateway.observe.metrics import Metrics

BATCH_PATHS = ("/batch", "/b", "/import", "/beacon/v1/batch")
LETTERS = {kind: kind[0] for kind in EVENT_TYPES}


class Site:
    """Answers requests under one configuration."""

    def __init__(self, settings: Settings, services: Services, by_address: AddressBuckets | None) -> None:
        sources = Sources(settings.sources, services.metrics, services.clock.monotonic_s())
        addresses = Addresses(settings.server.trusted_proxies)
        self._ingest = Ingest(sources, addresses, by_address, services)
        self._cors = Cors(source.origins for source in sources.by_name.values())
        self._log = structlog.get_logger()
        self._routes = _build_routes(settings, services, sources, addresses, self._ingest)

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


def _build_routes(
    settings: Settings, services: Services, sources: Sources, addresses: Addresses, ingest: Ingest
) -> Routes:
    requests = services.metrics.requests
    prefix = settings.server.path_prefix
    table: dict[str, Route] = _ingest_routes(settings, services, ingest)
    project = Route("settings", {"GET": partial(serve_settings, prefix, addresses)}, requests)
    table["/sourceConfig"] = Route("source_config", {"GET": partial(serve_source_config, sources)}, requests)
    table["/m"] = Route("metrics", {"POST": _discard}, requests)
    table["/robots.txt"] = Route("robots", {"GET": serve_robots}, requests)
    if settings.script.enabled:
        table |= _file_routes("script", script_files(settings, services.assets, sources.by_name), services.metrics)
    if settings.demo.enabled:
        table |= _file_routes("demo", demo_files(settings, services.assets, sources.by_name), services.metrics)
    return Routes(prefix, table, project, Route("unknown", {}, requests))


def _ingest_routes(settings: Settings, services: Services, ingest: Ingest) -> dict[str, Route]:
    def new_id() -> str:
        return uuid7(services.clock.now_ms(), services.rng)

    def rules(kind: str) -> Rules:
        return Rules(kind, settings.server.max_event, settings.server.max_inflated_body, new_id)

    requests = services.metrics.requests
    batch = Route("batch", {"POST": partial(ingest.post, rules(""))}, requests)
    table = dict.fromkeys(BATCH_PATHS, batch)
    for kind, letter in LETTERS.items():
        route = Route(kind, {"POST": partial(ingest.post, rules(kind))}, requests)
        table |= {f"/{kind}": route, f"/{letter}": route}
        pixel = Route("pixel", {"GET": partial(serve_pixel, ingest, rules(kind))}, requests)
        for path in (f"/pixel/{kind}", f"/pixel/v1/{kind}"):
            table |= {path: pixel, f"{path}.gif": pixel}
    return table


def _file_routes(name: str, files: Mapping[str, Handler], metrics: Metrics) -> dict[str, Route]:
    return {path: Route(name, {"GET": serve}, metrics.requests) for path, serve in files.items()}


def _discard(exchange: Exchange) -> None:
    """An SDK's counters about itself: nobody here wants them, and an error would make it repeat them."""
    exchange.reply(ACCEPTED)
