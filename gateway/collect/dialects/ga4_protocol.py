"""GA4's Measurement Protocol: a POST of `{"client_id": .., "events": [{"name": .., "params": {..}}]}`. The write key is
the query's `api_secret`, else its `measurement_id` or `firebase_app_id`.

What the payload says for all of its events has a place in each one's context, the rest of it under `context.ga4`.

Source: developers.google.com/analytics/devguides/collection/protocol/ga4/reference.
"""

from collections.abc import Mapping
from typing import Any

from gateway.collect import refusals
from gateway.collect.dialects.ga4_consent import consent_of, in_protocol
from gateway.collect.dialects.ga4_events import MAX_EVENTS, event_of, finished, screen_of
from gateway.collect.dialects.pages import page_of
from gateway.collect.dialects.translation import Translation
from gateway.collect.dialects.values import Fields, object_of, said, text_of, whole_of
from gateway.collect.digest import MAX_SHARED_BYTES
from gateway.collect.lenient import RefusedError, clean, dump, load
from gateway.collect.refusals import Refusal
from gateway.model.event import from_epoch_ms, to_iso

_KEYS = ("api_secret", "measurement_id", "firebase_app_id")
_PLACED = frozenset(
    {"client_id", "app_instance_id", "user_id", "timestamp_micros", "user_properties", "consent", "events"}
)
_DEVICE = {"type": "category", "manufacturer": "brand", "model": "model"}
_OS = {"name": "operating_system", "version": "operating_system_version"}
_LOCATION = {"city": "city", "region": "region_id", "country": "country_id"}
_CAMPAIGN = {"name": "campaign", "source": "source", "medium": "medium", "term": "term", "content": "content"}


def translate_protocol(body: bytes, query: Mapping[str, str]) -> Translation | Refusal:
    """The events of a request."""
    if not body.strip():
        return refusals.EMPTY_BODY
    try:
        payload, _ = load(body)
        shared = clean({name: value for name, value in object_of(payload).items() if name != "events"})[0]
        shared_bytes = len(dump(shared))
    except RefusedError as error:
        return error.refusal
    events = object_of(payload).get("events")
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        return refusals.INVALID_EVENTS
    if shared_bytes > MAX_SHARED_BYTES:
        return refusals.SHARED_TOO_LARGE
    key = next((query[name] for name in _KEYS if query.get(name)), "")
    common = _context(shared)
    return Translation(key, [_event(position, each, shared, common) for position, each in enumerate(events)])


def _event(position: int, raw: Any, shared: Fields, common: Fields) -> Any:
    if not isinstance(raw, dict):
        return raw
    name, params = raw.get("name"), object_of(raw.get("params"))
    micros = raw.get("timestamp_micros") or shared.get("timestamp_micros")
    url, referrer, title = (text_of(params.get(f"page_{part}")) for part in ("location", "referrer", "title"))
    event = event_of(name, params, page_of(url, referrer, title), {**common, **_in_params(name, params)})
    if not isinstance(raw.get("params"), dict | None):
        event["properties"] = raw["params"]
    event["anonymousId"] = shared.get("client_id") or shared.get("app_instance_id")
    event["userId"] = shared.get("user_id")
    event["timestamp"] = _moment(micros)
    return finished(event, None if event["timestamp"] is None else [position, micros])


def _moment(micros: Any) -> str | None:
    whole = whole_of(micros)
    try:
        return None if whole is None else to_iso(from_epoch_ms(whole // 1000))
    except OverflowError:
        return None


def _in_params(name: Any, params: Fields) -> Fields:
    """What parameters say of where an event happened. Only one event's `source` is where the visitor came from."""
    campaign = {part: params.get(key) for part, key in _CAMPAIGN.items()} if name == "campaign_details" else {}
    context = {
        "sessionId": text_of(params.get("session_id")) or text_of(params.get("ga_session_id")),
        "locale": params.get("language"),
        "screen": screen_of(params.get("screen_resolution")),
        "campaign": said(campaign),
    }
    return said(context)


def _context(shared: Fields) -> Fields:
    device, location = object_of(shared.get("device")), object_of(shared.get("user_location"))
    context = {
        "library": {"name": "ga4-measurement-protocol"},
        "traits": _traits(shared.get("user_properties")),
        "consent": consent_of(in_protocol(shared.get("consent"))),
        "ip": shared.get("ip_override"),
        "userAgent": shared.get("user_agent"),
        "locale": device.get("language"),
        "screen": screen_of(device.get("screen_resolution")),
        "device": said({part: device.get(key) for part, key in _DEVICE.items()}),
        "os": said({part: device.get(key) for part, key in _OS.items()}),
        "location": said({part: location.get(key) for part, key in _LOCATION.items()}),
        "ga4": {name: value for name, value in shared.items() if name not in _PLACED},
    }
    return said(context)


def _traits(user_properties: Any) -> Fields:
    """`{"plan": {"value": "pro"}}` as `{"plan": "pro"}`."""
    pairs = object_of(user_properties).items()
    return {name: value.get("value") if isinstance(value, dict) else value for name, value in pairs}
