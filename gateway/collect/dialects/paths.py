"""Where the other dialects are spoken: their paths, some of which are Segment's too."""

from collections.abc import Mapping
from functools import partial

from prometheus_client import Counter

from gateway.collect.dialects import ga4
from gateway.collect.dialects.posthog import discard, serve_posthog, translate
from gateway.collect.dialects.posthog_documents import DECIDE, FLAGS, serve_document
from gateway.collect.dialects.posthog_shared import Shared, serve_shared
from gateway.collect.dialects.snowplow import serve_snowplow
from gateway.collect.dialects.translation import serve_dialect
from gateway.collect.exchange import Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.routes import Handler, Route
from gateway.model.clock import Clock

SNOWPLOW_PATH = "/com.snowplowanalytics.snowplow/tp2"
POSTHOG_PATHS = ("/e", "/i/v0/e", "/capture", "/engage")


def dialect_routes(
    ingest: Ingest, rules: Mapping[str, Rules], identify: Route, clock: Clock, requests: Counter
) -> dict[str, Route]:
    """By path. `rules` are those for a path that names a type, and at "" for one that names none; `identify` is
    Segment's route, whose short path Snowplow shares."""
    table = _snowplow_routes(partial(serve_snowplow, ingest, rules[""]), identify, requests)
    table |= _posthog_routes(clock, ingest, rules, requests)
    return table | _ga4_routes(ingest, rules[""], requests)


def _snowplow_routes(serve: Handler, identify: Route, requests: Counter) -> dict[str, Route]:
    """`/i` is identify's to POST, and Snowplow's to GET."""
    snowplow = Route("snowplow", {"GET": serve, "POST": serve}, requests)
    shared = Route(identify.name, {**identify.handlers, "GET": partial(_serve_as, snowplow, serve)}, requests)
    return {SNOWPLOW_PATH: snowplow, "/ice.png": snowplow, "/i": shared}


def _posthog_routes(clock: Clock, ingest: Ingest, rules: Mapping[str, Rules], requests: Counter) -> dict[str, Route]:
    """`/batch` and `/s` are Segment's too; the body tells whose."""
    serve = partial(serve_posthog, clock, ingest, rules[""])
    events = Route("posthog", {"GET": serve, "POST": serve}, requests)
    table = dict.fromkeys(POSTHOG_PATHS, events)
    batch = partial(serve_shared, Shared("/batch", events, translate), clock, ingest, rules[""])
    recording = Shared("/s", Route("posthog_recording", {}, requests), discard)
    table["/batch"] = Route("batch", {"POST": batch}, requests)
    table["/s"] = Route("screen", {"POST": partial(serve_shared, recording, clock, ingest, rules["screen"])}, requests)
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


def _serve_as(route: Route, serve: Handler, exchange: Exchange) -> None:
    """Serves what belongs to `route` and shares another's path; it is counted where it belongs."""
    exchange.route = route
    serve(exchange)
