"""One event of Snowplow's tracker protocol as an event of the Segment spec. The tables are in docs/sdks.md.

Source: docs.snowplow.io/docs/fundamentals/canonical-event, the tracker protocol.
"""

from typing import Any

from gateway.collect.dialects.pages import campaign_of, page_of
from gateway.collect.dialects.snowplow_fields import (
    entity,
    schema_name,
    take,
    take_data,
    take_moment,
    take_renamed,
    take_size,
)
from gateway.collect.dialects.values import Fields, number_of, said, storable, text_of
from gateway.model.event import to_iso

NO_ONE = "00000000-0000-0000-0000-000000000000"
"""What trackers put for a person's id in a session's entity when they track anonymously."""

_PING = {"pp_mix": "xoffset_min", "pp_max": "xoffset_max", "pp_miy": "yoffset_min", "pp_may": "yoffset_max"}
_STRUCTURED = {"se_ca": "category", "se_la": "label", "se_pr": "property", "se_va": "value"}
_ORDER = {
    "tr_id": "order_id",
    "tr_af": "affiliation",
    "tr_tt": "total",
    "tr_tx": "tax",
    "tr_sh": "shipping",
    "tr_cu": "currency",
    "tr_ci": "city",
    "tr_st": "state",
    "tr_co": "country",
}
_ITEM = {
    "ti_id": "order_id",
    "ti_sk": "sku",
    "ti_nm": "name",
    "ti_ca": "category",
    "ti_pr": "price",
    "ti_qu": "quantity",
    "ti_cu": "currency",
}
_NAMES = {"pp": "Page Ping", "tr": "Order Completed", "ti": "Product Purchased"}
_RENAMED = {"pp": _PING, "tr": _ORDER, "ti": _ITEM}
_NUMBERS = frozenset({*_PING.values(), "value", "total", "tax", "shipping", "price", "quantity"})


def to_event(payload: Any) -> Any:
    """The event that a payload describes, in the form of `lenient.load`. What it does not understand of it is kept.

    What is no event at all comes out as something that is refused alone, for the reason it should be.
    """
    if not isinstance(payload, dict):
        return payload
    return storable(_translate(said(payload)))


def _translate(fields: Fields) -> Fields:
    """Takes `fields` apart: what is left of them is under `context.snowplow`."""
    contexts = take_data(fields, "co", list) + take_data(fields, "cx", list)
    page = page_of(take(fields, "url"), take(fields, "refr"), take(fields, "page"))
    event = _say(fields, page) | _ids(fields, contexts) | _times(fields)
    if event.get("type"):
        del fields["e"]
    event["context"] = _context(fields, contexts, page)
    return said(event)


def _say(fields: Fields, page: Fields) -> Fields:
    """Type, name and properties. An unknown `e` gives none, and the event is refused for that."""
    match fields.get("e"):
        case "pv":
            return {"type": "page", "name": page.get("title"), "properties": page}
        case "ue":
            return _self_described(fields)
        case "se":
            return _track(take(fields, "se_ac"), fields, _STRUCTURED)
        case "pp" | "tr" | "ti" as kind:
            return _track(_NAMES[kind], fields, _RENAMED[kind])
        case _:
            return {}


def _track(name: str, fields: Fields, names: dict[str, str]) -> Fields:
    return {"type": "track", "event": name, "properties": take_renamed(fields, names, _NUMBERS)}


def _self_described(fields: Fields) -> Fields:
    """Named after its schema, of which the vendor and the version are kept."""
    described = take_data(fields, "ue_pr", dict) or take_data(fields, "ue_px", dict)
    schema = described.get("schema")
    if schema:
        fields["schema"] = schema
    return {"type": "track", "event": schema_name(schema), "properties": described.get("data")}


def _ids(fields: Fields, contexts: list[Any]) -> Fields:
    """Who it was. A session's entity says so for mobile trackers, which have no `duid`.

    An anonymous tracker names nobody, which the Segment spec does not have: its event is given to its page view, or
    where there is none to itself.
    """
    message_id, user_id = take(fields, "eid"), take(fields, "uid")
    device_id = take(fields, "duid") or _someone(entity(contexts, "client_session").get("userId"))
    anonymous_id = device_id or take(fields, "tnuid") or take(fields, "nuid") or text_of(fields.get("sid"))
    if not anonymous_id and not user_id:
        anonymous_id = text_of(entity(contexts, "web_page").get("id")) or message_id
    return {"messageId": message_id, "userId": user_id, "anonymousId": anonymous_id}


def _someone(value: Any) -> str:
    text = text_of(value)
    return "" if text == NO_ONE else text


def _times(fields: Fields) -> Fields:
    """The device's time is corrected by `sentAt` later on. A true time is not: an explicit `timestamp` is history."""
    created, true = take_moment(fields, "dtm"), take_moment(fields, "ttm")
    take_moment(fields, "stm")
    times = {"originalTimestamp": created or true, "timestamp": true}
    return {name: to_iso(moment) for name, moment in times.items() if moment}


def _context(fields: Fields, contexts: list[Any], page: Fields) -> Fields:
    """Takes what it has a place for out of `fields`, and keeps the rest."""
    session = entity(contexts, "client_session")
    context = {
        "library": said({"name": "snowplow", "version": take(fields, "tv")}),
        "page": said({"id": entity(contexts, "web_page").get("id"), **page}),
        "campaign": campaign_of(page),
        "locale": take(fields, "lang"),
        "timezone": take(fields, "tz"),
        "userAgent": take(fields, "ua"),
        "ip": take(fields, "ip"),
        "screen": take_size(fields, "res"),
        "sessionId": take(fields, "sid") or text_of(session.get("sessionId")),
        "sessionIndex": number_of(take(fields, "vid")) or session.get("sessionIndex"),
    }
    if contexts:
        fields["contexts"] = contexts
    return said({**context, "snowplow": fields})
