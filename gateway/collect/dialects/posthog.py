"""PostHog's SDKs: `{"api_key": .., "batch": [..], "sent_at": ..}`, a bare event, or an array of events.

It comes in four ways: as gzip without a header that says so, as plain JSON, as a form whose `data` is base64 of the
JSON, and in a GET as that `data` in the query. The project's token is the write key.

posthog-js takes 200 alone for success and drops its events at any 4xx, 429 among them; the old one (1.100) at 500, too.
What is for now is a 503 here.

Source: posthog.com/docs/api/capture and posthog.com/docs/data/timestamps; requests recorded from the SDKs.
"""

import base64
import binascii
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from gateway.collect import refusals
from gateway.collect.answers import ACCEPTED, Answer, json_answer
from gateway.collect.dialects.posthog_events import to_event
from gateway.collect.dialects.translation import Dialect, Translation, serve_dialect
from gateway.collect.dialects.values import object_of, text_of
from gateway.collect.exchange import MAX_QUERY_FIELDS, Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.lenient import RefusedError, load
from gateway.collect.refusals import Refusal
from gateway.model.clock import Clock

STORED = json_answer(200, {"status": 1})
_DROPPED_THOUGH_FOR_NOW = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INTERNAL_SERVER_ERROR})
_TOKENS = ("api_key", "token", "$token")


class Request(NamedTuple):
    """A request, before its events are looked at."""

    token: str
    """Empty where it has none."""
    events: list[Any]
    sent_at: str | None


def serve_posthog(clock: Clock, ingest: Ingest, rules: Rules, exchange: Exchange) -> None:
    """Handles a POST or GET with events."""
    dialect = Dialect(partial(translate, clock.now_ms()), as_posthog)
    serve_dialect(dialect, ingest, rules, exchange)


def translate(received_at_ms: int, body: bytes, query: Mapping[str, str]) -> Translation | Refusal:
    """The events of a request that came at `received_at_ms`, from which an event's `offset` counts back."""
    request = read_request(body, query)
    if isinstance(request, Refusal):
        return request
    events = [to_event(each, request.token, received_at_ms) for each in request.events]
    return Translation(request.token, events, request.sent_at)


def discard(received_at_ms: int, body: bytes, query: Mapping[str, str]) -> Translation | Refusal:  # noqa: ARG001
    """None of the events of a session's recording. Whose it was is known, so that a wrong token is refused."""
    request = read_request(body, query)
    return request if isinstance(request, Refusal) else Translation(request.token, [])


def read_request(body: bytes, query: Mapping[str, str]) -> Request | Refusal:
    """Takes off the form and the frame. The first token found is that of all events."""
    text = _json_in(body, query)
    if not text:
        return refusals.EMPTY_BODY
    try:
        value, _ = load(text)
    except RefusedError as error:
        return error.refusal
    frame = object_of(value)
    events = value if isinstance(value, list) else frame.get("batch", [value])
    if not isinstance(events, list):
        return refusals.INVALID_BATCH
    first = object_of(events[0]) if events else {}
    tokens = [_token(frame), _token(first), _token(object_of(first.get("properties"))), _token(query)]
    return Request(next(filter(None, tokens), ""), events, _sent_at(frame, query))


def as_posthog(ours: Answer) -> Answer:
    """Our answer as these SDKs understand it: `{"status": 1}` for success, with the list of what was refused in it."""
    if ours is ACCEPTED:
        return STORED
    if ours.status == HTTPStatus.OK:
        listed = orjson.loads(ours.body)
        del listed["success"]
        return json_answer(200, {"status": 1, **listed})
    if ours.status in _DROPPED_THOUGH_FOR_NOW:
        _, _, headers = ours.head.partition(b"\r\n")
        return Answer(503, b"HTTP/1.1 503 Service Unavailable\r\n" + headers, ours.body)
    return ours


def is_form(body: bytes) -> bool:
    """Whether a body is a form with base64 in it, which no other SDK sends."""
    return body.startswith(b"data=")


def _json_in(body: bytes, query: Mapping[str, str]) -> bytes:
    """The JSON in a body or a query; the body itself where it holds no form."""
    body = body.strip()
    if not body:
        return _from_base64(query.get("data", ""))
    if body[:1] in (b"{", b"["):
        return body
    try:
        pairs = parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
    except ValueError:
        return body
    form = dict(pairs)
    return _from_base64(form["data"]) if "data" in form else body


def _from_base64(data: str) -> bytes:
    """Both alphabets, with or without padding; a `+` arrives as a space where nobody escaped it. What is no base64
    stays as it is: some send the JSON itself, and what is neither is refused for that."""
    text = data.strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return data.encode(errors="surrogatepass")


def _token(holder: Mapping[str, Any]) -> str:
    return next((text for name in _TOKENS if (text := text_of(holder.get(name)))), "")


def _sent_at(frame: Mapping[str, Any], query: Mapping[str, str]) -> str | None:
    """The client's clock; older posthog-js says it in the query, in milliseconds, to get past caches."""
    stamp = query.get("_", "")
    return text_of(frame.get("sent_at")) or (stamp if stamp.isascii() and stamp.isdigit() else None)
