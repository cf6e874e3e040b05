"""Snowplow's trackers. A POST holds `{"schema": "iglu:../payload_data/..", "data": [{"e": "pv", ..}, ..]}`; the query
of a GET is one event. Neither has a key: the app id (`aid`) is the write key.

Trackers send again, some for ever, after every status but 2xx, 400, 401, 403, 410 and 422: what is refused for good is
400.

Source: docs.snowplow.io/docs/fundamentals/canonical-event and /docs/events/http-requests.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from gateway.collect import refusals
from gateway.collect.answers import ACCEPTED, NO_STORE, PIXEL, Answer, answer, refused
from gateway.collect.dialects.snowplow_events import to_event
from gateway.collect.dialects.snowplow_fields import moment_of
from gateway.collect.dialects.translation import Dialect, Translation, serve_dialect
from gateway.collect.dialects.values import object_of, text_of
from gateway.collect.exchange import Exchange
from gateway.collect.ingest import Ingest
from gateway.collect.judge import Rules
from gateway.collect.lenient import RefusedError, load
from gateway.collect.refusals import Refusal
from gateway.model.event import to_iso

OK = answer(200, b"ok", "text/plain", NO_STORE)


def serve_snowplow(ingest: Ingest, rules: Rules, exchange: Exchange) -> None:
    """Handles a POST or GET of a tracker."""
    serve_dialect(_IN_BODY if exchange.message.method == "POST" else _IN_QUERY, ingest, rules, exchange)


def translate_body(body: bytes, query: Mapping[str, str]) -> Translation | Refusal:  # noqa: ARG001 - the contract's
    """The events of a POST."""
    if not body.strip():
        return refusals.EMPTY_BODY
    try:
        payload, _ = load(body)
    except RefusedError as error:
        return error.refusal
    data = object_of(payload).get("data")
    return _translate(data) if isinstance(data, list) else refusals.INVALID_PAYLOAD


def translate_query(body: bytes, query: Mapping[str, str]) -> Translation | Refusal:  # noqa: ARG001 - the contract's
    """The event of a GET."""
    return _translate([dict(query)])


def _translate(payloads: list[Any]) -> Translation:
    """The first app id is that of all, and so is the latest time of sending: a tracker stamps all that it sends."""
    fields = [object_of(each) for each in payloads]
    app_ids = [text_of(each.get("aid")) for each in fields]
    sent = [moment for each in fields if (moment := moment_of(each.get("stm")))]
    events = [to_event(each) for each in payloads]
    return Translation(next(filter(None, app_ids), ""), events, to_iso(max(sent)) if sent else None)


def _answer_post(ours: Answer) -> Answer:
    return OK if ours is ACCEPTED else _permanent(ours)


def _answer_get(ours: Answer) -> Answer:
    """The one event may have been refused, which is no refusal of the request where requests are batches."""
    if ours is ACCEPTED:
        return PIXEL
    if ours.status != HTTPStatus.OK:
        return _permanent(ours)
    rejection = orjson.loads(ours.body)["rejected"][0]
    return refused(Refusal(rejection["code"], rejection["message"]))


def _permanent(ours: Answer) -> Answer:
    """401 is for good as 400 is, and 400 is what all trackers believe."""
    return (
        answer(HTTPStatus.BAD_REQUEST, ours.body, headers=NO_STORE) if ours.status == HTTPStatus.UNAUTHORIZED else ours
    )


_IN_BODY = Dialect(translate_body, _answer_post)
_IN_QUERY = Dialect(translate_query, _answer_get)
