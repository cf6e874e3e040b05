"""Every path of the public listener, and what answers it."""

from collections.abc import Mapping
from functools import partial

from gateway.collect.addresses import Addresses
from gateway.collect.answers import ACCEPTED
from gateway.collect.dialects.paths import SNOWPLOW_PATH, dialect_routes
from gateway.collect.dialects.pixel import serve_pixel
from gateway.collect.dialects.posthog_documents import config_files
from gateway.collect.exchange import Exchange
from gateway.collect.first_party import FirstParty
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
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


def build_routes(
    settings: Settings, services: Services, sources: Sources, addresses: Addresses, ingest: Ingest
) -> Routes:
    """All that the public listener answers under a configuration."""
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
        table |= _script_routes(settings, services)
        table |= _first_party_routes(settings, services, addresses, ingest)
    if settings.demo.enabled:
        script = loader(settings, services.assets, settings.demo.source, places(settings.script)[0])
        table |= _file_routes("demo", demo_files(settings, services.assets, script), services.metrics)
    return Routes(prefix, table, project, table[SNOWPLOW_PATH], Route("unknown", {}, requests))


def _ingest_routes(settings: Settings, services: Services, ingest: Ingest) -> dict[str, Route]:
    rules = {kind: _rules(settings, services, kind) for kind in ("", *EVENT_TYPES)}
    requests = services.metrics.requests
    batch = Route("batch", {"POST": partial(ingest.post, rules[""])}, requests)
    table = dict.fromkeys(BATCH_PATHS, batch)
    for kind, letter in LETTERS.items():
        route = Route(kind, {"POST": partial(ingest.post, rules[kind])}, requests)
        table |= {f"/{kind}": route, f"/{letter}": route}
        pixel = Route("pixel", {"GET": partial(serve_pixel, ingest, rules[kind])}, requests)
        for path in (f"/pixel/{kind}", f"/pixel/v1/{kind}"):
            table |= {path: pixel, f"{path}.gif": pixel}
    return table | dialect_routes(ingest, rules, table["/i"], services.clock, requests)


def _script_routes(settings: Settings, services: Services) -> dict[str, Route]:
    """The script, and for as long as pages ask for it there, the same at its former addresses."""
    present, *former = places(settings.script)
    table: dict[str, Route] = {}
    for place in former:
        table |= _file_routes("script_former", script_files(settings, services.assets, place), services.metrics)
    return table | _file_routes("script", script_files(settings, services.assets, present), services.metrics)


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


def _file_routes(name: str, files: Mapping[str, Handler], metrics: Metrics) -> dict[str, Route]:
    return {path: Route(name, {"GET": serve}, metrics.requests) for path, serve in files.items()}


def _discard(exchange: Exchange) -> None:
    """An SDK's counters about itself: nobody here wants them, and an error would make it repeat them."""
    exchange.reply(ACCEPTED)
