"""Any JSON API over HTTP, told in the API's own words, which stand in the configuration.

The words are templates (template.py), the answers are read by http_answers.py. What one request holds: one event, or
several as an array, as lines (ndjson), or as a list within an object. Source of what is common to such APIs: RFC 9110
(methods, statuses), RFC 7617 (basic authentication), RFC 6750 (bearer tokens), the ndjson specification 1.0.0.
"""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson

from gateway.destinations.addresses import filled
from gateway.destinations.contract import Conversation, Destination, Message, Payload, Sending
from gateway.destinations.headers import revealed
from gateway.destinations.http_answers import outcome_of
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.http_settings import WITHOUT_BODY, Auth, HttpSettings, RequestSettings
from gateway.destinations.template_expression import MISSING
from gateway.destinations.webhook import webhook_id
from gateway.model.event import Event

MAX_BATCH_EVENTS = 10_000
_CONTENT_TYPES = {"ndjson": "application/x-ndjson"}


def map_event(event: Event, settings: HttpSettings) -> Sequence[Message]:
    """One message in the words of the event's route; none where there is no route, or nothing to be said."""
    name = settings.route_of(event)
    if name is None:
        return []
    chosen = settings.requests[name]
    assert chosen.url is not None, "checked when the settings were loaded"
    where = filled(chosen.url, event)
    body = _told(event, chosen)
    return [] if where is None or body is MISSING else [Message(body, f"{name} {where}")]


def _told(event: Event, chosen: RequestSettings) -> Any:
    if chosen.method in WITHOUT_BODY:
        return None
    body = event if chosen.body is None else chosen.body.render(event)
    if chosen.dedup and isinstance(body, dict):
        return {chosen.dedup: event["messageId"], **body}
    return body


def request(payloads: Sequence[Payload], settings: HttpSettings, _sending: Sending) -> Request:
    """All payloads have the same route and the same address."""
    chosen, where = _chosen(settings, payloads[0].key)
    sent = {key.lower(): value for key, value in revealed(chosen.headers).items()}
    if chosen.dedup_header:
        sent[chosen.dedup_header.lower()] = webhook_id([payload.message_id for payload in payloads])
    if settings.auth is not None:
        where, authorization = _authorized(where, settings.auth)
        sent |= authorization
    if chosen.method in WITHOUT_BODY:
        return Request(where, b"", sent, chosen.method)
    content_type = _CONTENT_TYPES.get(chosen.batch_as, "application/json")
    body = _joined([payload.body for payload in payloads], chosen)
    return Request(where, body, {"content-type": content_type, **sent}, chosen.method)


def _joined(bodies: Sequence[bytes], chosen: RequestSettings) -> bytes:
    match chosen.batch_as:
        case "none":
            return bodies[0]
        case "array":
            return b"[" + b",".join(bodies) + b"]"
        case "ndjson":
            return b"".join(body + b"\n" for body in bodies)
        case "object":
            beside = chosen.batch_with.get_secret_value() if chosen.batch_with else {}
            start = orjson.dumps({**beside, chosen.batch_key: []})
            return start.removesuffix(b"]}") + b",".join(bodies) + b"]}"


def _authorized(where: str, auth: Auth) -> tuple[str, dict[str, str]]:
    """The address and the headers that say who we are."""
    if auth.query is not None:
        parameter = f"{quote(auth.query.name, safe='')}={quote(auth.query.value.get_secret_value(), safe='')}"
        return f"{where}{'&' if '?' in where else '?'}{parameter}", {}
    if auth.basic is not None:
        pair = f"{auth.basic.username}:{auth.basic.password.get_secret_value()}"
        return where, {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    assert auth.bearer is not None
    return where, {"authorization": f"Bearer {auth.bearer.get_secret_value()}"}


def converse(payloads: Sequence[Payload], settings: HttpSettings, sending: Sending) -> Conversation:
    """One request, whose answer is read as the owner says."""
    response: Response = yield request(payloads, settings, sending)
    return outcome_of(response, payloads, settings.answer)


def max_batch_events(settings: HttpSettings, key: str) -> int:
    """One, unless the route says how several share a request."""
    chosen, _ = _chosen(settings, key)
    return 1 if chosen.batch_as == "none" or chosen.method in WITHOUT_BODY else MAX_BATCH_EVENTS


def _chosen(settings: HttpSettings, key: str) -> tuple[RequestSettings, str]:
    """What a message's key stands for: the route's settings, and the address."""
    name, _, where = key.partition(" ")
    return settings.requests[name], where


HTTP = Destination(
    settings=HttpSettings,
    title="HTTP",
    map=map_event,
    request=request,
    converse=converse,
    max_batch_events=max_batch_events,
    unasked="nothing is known of a request to this API that changes nothing",
)
