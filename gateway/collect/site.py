"""One configuration of the public listener, made ready: which request is answered by what. A reload makes a new one."""

from collections.abc import Mapping
from functools import partial

import structlog
from aiohttp import hdrs
from prometheus_client import Counter

from gateway.collect.addresses import Addresses
from gateway.collect.answers import ACCEPTED, INTERNAL_ERROR, NOT_FOUND, answer, method_not_allowed
from gateway.collect.cors import Cors
from gateway.collect.dialects import ga4
from gateway.collect.dialects.pixel import serve_pixel
from gateway.collect.dialects.posthog import discard, serve_posthog, translate
from gateway.collect.dialects.posthog_documents import DECIDE, FLAGS, config_files, serve_document
from gateway.collect.dialects.posthog_shared import Shared, serve_shared
from gateway.collect.dialects.snowplow import serve_snowplow
from gateway.collect.dialects.translation import serve_dialect
from gateway.collect.exchange import Exchange
from gateway.collect.first_party import FirstParty
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.limits import AddressBuckets
from gateway.collect.refusals import Refusal
from gateway.collect.routes import Handler, Route, Routes
from gateway.collect.script_files import loader, places, script_files
from gateway.collect.sdk_settings import serve_settings, serve_source_config
from gateway.collect.segment_script import segment_script_files
from gateway.collect.services import Services
from gateway.collect.sources import Sources
from gateway.collect.static_files import demo_files, serve_robots
from gateway.collect.visitors import Visitors
from gateway.config import Settings
from gateway.model.event import EVENT_TYPES
from gateway.model.ids import uuid7
from gateway.observe.metrics import Metrics

BATCH_PATHS = ("/batch", "/b", "/import", "/beacon/v1/batch")
LETTERS = {kind: kind[0] for kind in EVENT_TYPES}
SNOWPLOW_PATH = "/com.snowplowanalytics.snowplow/tp2"
POSTHOG_PATHS = ("/e", "/i/v0/e", "/capture", "/engage")


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
    table |= _file_routes("posthog_config", config_files(sources.by_key), services.metrics)
    segment = segment_script_files(settings.script.segment_script, sources.by_key)
    table |= _file_routes("segment_script", segment, services.metrics)
    table["/m"] = Route("metrics", {"POST": _discard}, requests)
    table["/robots.txt"] = Route("robots", {"GET": serve_robots}, requests)
    if settings.script.enabled:
        table |= _file_routes("script", script_files(settings, services.assets), services.metrics)
        table |= _first_party_routes(settings, services, addresses, ingest)
    if settings.demo.enabled:
        script = loader(settings, services.assets, settings.demo.source, places(settings.script)[0])
        table |= _file_routes("demo", demo_files(settings, services.assets, script), services.metrics)
    return Routes(prefix, table, project, table[SNOWPLOW_PATH], Route("unknown", {}, requests))


def _ingest_routes(settings: Settings, services: Services, ingest: Ingest) -> dict[str, Route]:
    rules = partial(_rules, settings, services)
    requests = services.metrics.requests
    batch = Route("batch", {"POST": partial(ingest.post, rules(""))}, requests)
    table = dict.fromkeys(BATCH_PATHS, batch)
    for kind, letter in LETTERS.items():
        route = Route(kind, {"POST": partial(ingest.post, rules(kind))}, requests)
        table |= {f"/{kind}": route, f"/{letter}": route}
        pixel = Route("pixel", {"GET": partial(serve_pixel, ingest, rules(kind))}, requests)
        for path in (f"/pixel/{kind}", f"/pixel/v1/{kind}"):
            table |= {path: pixel, f"{path}.gif": pixel}
    table |= _snowplow_routes(partial(serve_snowplow, ingest, rules("")), table["/i"], requests)
    table |= _posthog_routes(services, ingest, rules(""), rules("screen"))
    return table | _ga4_routes(ingest, rules(""), requests)


def _snowplow_routes(serve: Handler, identify: Route, requests: Counter) -> dict[str, Route]:
    """`/i` is identify's to POST, and Snowplow's to GET."""
    snowplow = Route("snowplow", {"GET": serve, "POST": serve}, requests)
    shared = Route(identify.name, {**identify.handlers, "GET": partial(_serve_as, snowplow, serve)}, requests)
    return {SNOWPLOW_PATH: snowplow, "/ice.png": snowplow, "/i": shared}


def _posthog_routes(services: Services, ingest: Ingest, rules: Rules, screen: Rules) -> dict[str, Route]:
    """`/batch` and `/s` are Segment's too; the body tells whose."""
    clock, requests = services.clock, services.metrics.requests
    serve = partial(serve_posthog, clock, ingest, rules)
    events = Route("posthog", {"GET": serve, "POST": serve}, requests)
    table = dict.fromkeys(POSTHOG_PATHS, events)
    batch = partial(serve_shared, Shared("/batch", events, translate), clock, ingest, rules)
    recording = Shared("/s", Route("posthog_recording", {}, requests), discard)
    table["/batch"] = Route("batch", {"POST": batch}, requests)
    table["/s"] = Route("screen", {"POST": partial(serve_shared, recording, clock, ingest, screen)}, requests)
    for path, document in (("/flags", FLAGS), ("/decide", DECIDE)):
        ask = partial(serve_document, document)
        table[path] = Route("posthog_flags", {"GET": ask, "POST": ask}, requests)
    return table


def _ga4_routes(ingest: Ingest, rules: Rules, requests: Counter) -> dict[str, Route]:
    gtag = partial(serve_dialect, ga4.GTAG, ingest, rules)
    protocol = partial(serve_dialect, ga4.PROTOCOL, ingest, rules)
    debug = partial(serve_dialect, ga4.DEBUG, ingest, rules)
    return {
        "/mp/collect": Route("ga4", {"POST": protocol}, requests),
        "/debug/mp/collect": Route("ga4_debug", {"POST": debug}, requests),
        "/g/collect": Route("ga4", {"GET": gtag, "POST": gtag}, requests),
    }


def _first_party_routes(
    settings: Settings, services: Services, addresses: Addresses, ingest: Ingest
) -> dict[str, Route]:
    """The script's own address takes its events. The pixel is there too, and with a source's name for each source."""
    visitors = Visitors(settings.script.cookie, settings.sources, addresses, services.clock, services.daily_ids)
    first_party = FirstParty(ingest, _rules(settings, services, ""), visitors)
    table: dict[str, Route] = {}
    for place in places(settings.script):
        folder, _, name = place.rpartition("/")
        for source in reversed(settings.sources):
            show = partial(first_party.show, settings.sources[source])
            route = Route("script_events", {"GET": show, "POST": first_party.take}, services.metrics.requests)
            table[f"{folder}/{source}/{name}"] = table[place] = route
    return table


def _rules(settings: Settings, services: Services, kind: str) -> Rules:
    def new_id() -> str:
        return uuid7(services.clock.now_ms(), services.rng)

    return Rules(kind, settings.server.max_event, settings.server.max_inflated_body, new_id)


def _serve_as(route: Route, serve: Handler, exchange: Exchange) -> None:
    """Serves what belongs to `route` and shares another's path; it is counted where it belongs."""
    exchange.route = route
    serve(exchange)


def _file_routes(name: str, files: Mapping[str, Handler], metrics: Metrics) -> dict[str, Route]:
    return {path: Route(name, {"GET": serve}, metrics.requests) for path, serve in files.items()}


def _discard(exchange: Exchange) -> None:
    """An SDK's counters about itself: nobody here wants them, and an error would make it repeat them."""
    exchange.reply(ACCEPTED)
