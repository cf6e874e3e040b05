"""One event of PostHog's as an event of the Segment spec. The table is in docs/sdks.md.

All of PostHog's properties stay in `properties`, with the `$set` and `$set_once` that some SDKs put beside them. Left
out are the token, which is the write key, and what stands beside the properties and PostHog does not document.

**Who.** `distinct_id` is whoever it is. A browser says which: it is the visitor as long as it is the `$device_id` or
`$is_identified` is false. Older ones (posthog-js 1.100) do not say the latter: there it is the user's once there is a
`$user_id`, because a reset keeps the device and draws a new `distinct_id`. A server's is its user, unless it wants no
profile of them (`$process_person_profile` false).

**Aliases.** PostHog merges the person of `alias` into that of `distinct_id`, who is kept, whatever the SDK: so
`distinct_id` is `userId` and `alias` is `previousId`. posthog-js's `alias(alias, original)` and posthog-node's
`alias({distinctId, alias})` are sent under these names. posthog-python's `alias(previous_id, distinct_id)` sends
`previous_id` as `distinct_id` and `distinct_id` as `alias`: whatever it is called, `previous_id` is who is kept.

Source: posthog.com/docs/api/capture, posthog.com/docs/product-analytics/identify, the ingestion of PostHog's server
(handleIdentifyOrAlias), posthog.com/docs/data/timestamps.
"""

from typing import Any

from gateway.collect.dialects.posthog_context import context_of, page_in, page_of_view
from gateway.collect.dialects.values import Fields, object_of, said, storable, text_of, whole_of
from gateway.collect.lenient import Number
from gateway.model.event import from_epoch_ms, to_iso

COOKIELESS = "$posthog_cookieless"
"""The `distinct_id` of all visitors who have none (posthog-js's cookieless mode)."""
WEB = "web"
"""What posthog-js calls itself."""
_PERSON = ("$set", "$set_once")


def to_event(raw: Any, token: str, received_at_ms: int) -> Any:
    """The event that `raw` says, in the form of `lenient.load`. What is no event comes out as what is refused alone."""
    if not isinstance(raw, dict):
        return raw
    properties = _properties(raw, token)
    kind = _KINDS.get(text_of(raw.get("event")) or _unnamed(properties), _track)
    message_id = text_of(raw.get("uuid")) or text_of(raw.get("messageId")) or text_of(properties.get("$insert_id"))
    event = {
        "messageId": message_id,
        **_who(_distinct_id(raw, properties), message_id, properties),
        **_when(raw, properties, received_at_ms),
        **kind(raw, properties),
    }
    if event.get("anonymousId") == event.get("userId"):
        event.pop("anonymousId", None)
    page = page_of_view(properties) if event["type"] == "page" else page_in(properties)
    event["context"] = context_of(properties, page, is_identify=event["type"] == "identify")
    event["properties"] = {**page, **properties} if event["type"] == "page" else properties
    if not isinstance(raw.get("properties"), dict | None):
        event["properties"] = raw["properties"]
    return storable(said(event))


def _unnamed(properties: Fields) -> str:
    """/engage takes properties of a person without an event's name."""
    return "$set" if any(name in properties for name in _PERSON) else ""


def _properties(raw: Fields, token: str) -> Fields:
    properties = dict(object_of(raw.get("properties")))
    if token and text_of(properties.get("token")) == token:
        del properties["token"]
    for name in _PERSON:
        if isinstance(raw.get(name), dict):
            properties[name] = {**object_of(properties.get(name)), **raw[name]}
    return properties


def _distinct_id(raw: Fields, properties: Fields) -> Any:
    """Numbers as texts, so that they can be compared. What is no id at all is left as it is, to be refused."""
    candidates = (raw.get("distinct_id"), properties.get("distinct_id"), raw.get("$distinct_id"))
    value = next((each for each in candidates if each not in (None, "")), None)
    return text_of(value) if isinstance(value, Number) else value


def _who(distinct_id: Any, message_id: str, properties: Fields) -> Fields:
    device_id = text_of(properties.get("$device_id"))
    if distinct_id == COOKIELESS:
        return {"anonymousId": message_id or distinct_id}
    is_identified = properties.get("$is_identified")
    if is_identified is not None:
        is_visitor = is_identified is False or distinct_id == device_id
    elif device_id:
        is_visitor = distinct_id == device_id or (properties.get("$lib") == WEB and not properties.get("$user_id"))
    else:
        is_visitor = properties.get("$process_person_profile") is False
    return {"anonymousId": distinct_id} if is_visitor else {"userId": distinct_id, "anonymousId": device_id}


def _when(raw: Fields, properties: Fields, received_at_ms: int) -> Fields:
    """`timestamp` wins over `offset`. What the client's clock may not correct has an `originalTimestamp` too."""
    timestamp = raw.get("timestamp")
    if timestamp not in (None, ""):
        is_history = properties.get("$ignore_sent_at") is True
        return {"timestamp": timestamp, "originalTimestamp": timestamp} if is_history else {"timestamp": timestamp}
    offset_ms = whole_of(raw.get("offset"))
    if offset_ms is None:
        return {}
    try:
        moment = to_iso(from_epoch_ms(received_at_ms - offset_ms))
    except OverflowError:
        return {}
    return {"timestamp": moment, "originalTimestamp": moment}


def _track(raw: Fields, properties: Fields) -> Fields:  # noqa: ARG001 - all kinds are asked alike
    return {"type": "track", "event": raw.get("event")}


def _page(raw: Fields, properties: Fields) -> Fields:  # noqa: ARG001 - all kinds are asked alike
    return {"type": "page"}


def _screen(raw: Fields, properties: Fields) -> Fields:  # noqa: ARG001 - all kinds are asked alike
    return {"type": "screen", "name": properties.get("$screen_name")}


def _identify(raw: Fields, properties: Fields) -> Fields:
    visitor = properties.get("$anon_distinct_id") or properties.get("$device_id")
    ids = {"userId": _distinct_id(raw, properties), "anonymousId": visitor}
    return {**said(ids), **_set(raw, properties)}


def _set(raw: Fields, properties: Fields) -> Fields:  # noqa: ARG001 - all kinds are asked alike
    traits = {**object_of(properties.get("$set_once")), **object_of(properties.get("$set"))}
    return {"type": "identify", "traits": traits}


def _alias(raw: Fields, properties: Fields) -> Fields:
    return {"type": "alias", "userId": _distinct_id(raw, properties), "previousId": properties.get("alias")}


def _group(raw: Fields, properties: Fields) -> Fields:
    """SDKs on servers make up a `distinct_id` for who is nobody: that is no user."""
    kind, key = text_of(properties.get("$group_type")), text_of(properties.get("$group_key"))
    distinct_id = _distinct_id(raw, properties)
    made_up = {"userId": None, "anonymousId": distinct_id} if distinct_id == f"${kind}_{key}" else {}
    return {
        "type": "group",
        "groupId": properties.get("$group_key"),
        "traits": object_of(properties.get("$group_set")),
        **made_up,
    }


_KINDS = {
    "$pageview": _page,
    "$screen": _screen,
    "$identify": _identify,
    "$set": _set,
    "$create_alias": _alias,
    "$merge_dangerously": _alias,
    "$groupidentify": _group,
}
