"""Two paths that PostHog's SDKs share with Segment's where `/v1` is missing: `/batch`, and `/s`, which is a recording
of PostHog's and a screen of Segment's. The body decides: PostHog's has `api_key` at its top, or is a form.

A rate of the address is answered before the body is looked at, and is a 429 here: posthog-js, which alone drops events
for it, uses neither path for events.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec
from msgspec import UNSET, Raw, UnsetType

from gateway.collect.dialects.posthog import as_posthog, is_form
from gateway.collect.dialects.translation import Translation, read_dialect
from gateway.collect.digest import Digest, digest
from gateway.collect.exchange import Exchange
from gateway.collect.fields import UNREADABLE
from gateway.collect.inflate import inflate
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.lenient import RefusedError, load
from gateway.collect.refusals import Refusal
from gateway.collect.routes import Route
from gateway.model.clock import Clock


class Shared(NamedTuple):
    """One of the paths."""

    path: str
    """Without prefix and `/v1`."""
    route: Route
    """Where PostHog's requests are counted."""
    translate: Callable[[int, bytes, Mapping[str, str]], Translation | Refusal]
    """From the time of receipt in milliseconds, the inflated body and the query."""


class _Frame(msgspec.Struct, gc=False):
    api_key: Raw | UnsetType = UNSET


_decode_frame = msgspec.json.Decoder(_Frame).decode


def serve_shared(shared: Shared, clock: Clock, ingest: Ingest, rules: Rules, exchange: Exchange) -> None:
    """Handles a POST. With its `/v1` the path is Segment's alone, and nothing is looked at twice."""
    if exchange.path != shared.path:
        ingest.post(rules, exchange)
        return
    translate = partial(shared.translate, clock.now_ms())
    query = exchange.parameters()

    def read(wire: bytes, encoding: str, max_bytes: int, rules: Rules) -> Digest | Refusal:
        body = inflate(wire, encoding, max_bytes)
        if isinstance(body, Refusal) or not is_posthogs(body):
            return digest(wire, encoding, max_bytes, rules)
        exchange.route, exchange.on_answer = shared.route, as_posthog
        return read_dialect(translate, query, body, "", max_bytes, rules)

    ingest.take(rules, exchange, exchange.body, read)


def is_posthogs(body: bytes) -> bool:
    """Whether an inflated body is PostHog's. Another's is told by the bytes that it lacks, without being read."""
    if is_form(body):
        return True
    if b'"api_key"' not in body or body.lstrip()[:1] == b"[":
        return False
    try:
        return _decode_frame(body).api_key is not UNSET
    except UNREADABLE:
        return _is_framed(body)


def _is_framed(body: bytes) -> bool:
    """The same for JSON that only the lenient reader takes: a NaN among the properties."""
    try:
        value, _ = load(body)
    except RefusedError:
        return False
    return isinstance(value, dict) and "api_key" in value
