"""What SDKs ask before they send anything: Segment's settings document and RudderStack's source configuration.

Without these, analytics.js and rudder-js send nothing at all.
"""

import re
from collections.abc import Sequence

from aiohttp import hdrs

from gateway.collect import refusals
from gateway.collect.addresses import Addresses
from gateway.collect.answers import answer, json_answer, refused
from gateway.collect.exchange import Exchange
from gateway.collect.sources import Sources

CACHEABLE: Sequence[tuple[str, str]] = (("Cache-Control", "public, max-age=300"),)
"""Set, because browsers make one up where it is missing."""
MAX_KEY_CHARACTERS = 128
_HOST = re.compile(r"[A-Za-z0-9._\[\]:-]{1,255}")


def serve_settings(prefix: str, addresses: Addresses, exchange: Exchange) -> None:
    """GET /v1/projects/{writeKey}/settings.

    Any key gets a document: without one the page would send nothing and nobody would see why; with one its events are
    refused and counted as `unknown_write_key`. One integration only: each more makes the SDK download code from
    our host; `sampleRate` 0, else it sends its own counters to its vendor.
    """
    host = exchange.header(hdrs.HOST) or ""
    key = exchange.path[:MAX_KEY_CHARACTERS]
    if not _HOST.fullmatch(host) or not key.isprintable():
        exchange.reply(refused(refusals.MALFORMED_REQUEST))
        return
    destination = {"apiKey": key, "apiHost": f"{host}{prefix}/v1", "protocol": addresses.protocol(exchange)}
    document = {"integrations": {"Segment.io": destination}, "metrics": {"sampleRate": 0}}
    exchange.reply(json_answer(200, document, CACHEABLE))


def serve_source_config(sources: Sources, exchange: Exchange) -> None:
    """GET /sourceConfig; HEAD with `view=ad` only asks whether an ad blocker is in the way."""
    parameters = exchange.parameters()
    if "view" in parameters:
        exchange.reply(answer(200, headers=CACHEABLE))
        return
    key = sources.basic_key(exchange.header(hdrs.AUTHORIZATION)) or parameters.get("writeKey", "")
    source = sources.by_key.get(key)
    if source is None:
        exchange.reply(refused(refusals.UNKNOWN_WRITE_KEY if key else refusals.MISSING_WRITE_KEY))
        return
    described = {"id": source.name, "name": source.name, "workspaceId": "headwater"}
    document = {"source": {**described, "enabled": True, "config": {}, "destinations": []}}
    exchange.reply(json_answer(200, document, CACHEABLE))
