"""What gtag.js sends to a `server_container_url`: an event in the query of a GET, or in a POST one form for each event,
a line each, with what they have in common in the query. The write key is the query's `api_secret`, else `tid`.

`ep.` and `epn.` in front of a name say that it is the event's, a text or a number; `up.` and `upn.` that it is the
visitor's. An item is `pr1=idSKU~nmMug~pr9.98`, where `~~` stands for a `~`. What has no place is kept under
`context.ga4`.

Source: developers.google.com/tag-platform/tag-manager/server-side, and the parameters as thyngster.com/ga4-measurement-
protocol-cheatsheet lists them.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from gateway.collect import refusals
from gateway.collect.dialects.ga4_consent import consent_of, in_query
from gateway.collect.dialects.ga4_events import MAX_EVENTS, event_of, finished, screen_of
from gateway.collect.dialects.pages import page_of
from gateway.collect.dialects.translation import Translation
from gateway.collect.dialects.values import Fields, number_of
from gateway.collect.exchange import MAX_QUERY_FIELDS
from gateway.collect.refusals import Refusal

_LINE = re.compile(rb"[^\r\n]+")
_ITEM = re.compile(r"pr[0-9]{1,3}")
_ITEM_PART = re.compile(r"(?:[^~]|~~)+")
_COUNTED = ("_s", "_p")
"""The event's number on its page and the page's: what tells an event from another that says the same."""
_KEYS = ("api_secret", "tid")
_ITEM_NAMES = {
    "id": "item_id",
    "nm": "item_name",
    "br": "item_brand",
    "ca": "item_category",
    "c2": "item_category2",
    "c3": "item_category3",
    "c4": "item_category4",
    "c5": "item_category5",
    "va": "item_variant",
    "pr": "price",
    "qt": "quantity",
    "cp": "coupon",
    "ds": "discount",
    "af": "affiliation",
    "ln": "item_list_name",
    "li": "item_list_id",
    "lp": "index",
    "lo": "location_id",
    "pi": "promotion_id",
    "pn": "promotion_name",
    "cn": "creative_name",
    "cs": "creative_slot",
}
_ITEM_NUMBERS = frozenset({"price", "quantity", "discount", "index"})


def translate_gtag(body: bytes, query: Mapping[str, str]) -> Translation | Refusal:
    """The events of a request; the query's own where the body has none."""
    lines = [each[0] for each in islice(_LINE.finditer(body), MAX_EVENTS + 1)] or [b""]
    if len(lines) > MAX_EVENTS:
        return refusals.INVALID_EVENTS
    key = next((query[name] for name in _KEYS if query.get(name)), "")
    shared = {name: value for name, value in query.items() if name not in _KEYS}
    try:
        events = [_event(position, {**shared, **_fields(line)}) for position, line in enumerate(lines)]
    except ValueError:
        return refusals.INVALID_EVENTS
    return Translation(key, events)


def _fields(line: bytes) -> dict[str, str]:
    """Raises ValueError when there are too many."""
    return dict(parse_qsl(line.decode(errors="replace"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS))


def _event(position: int, fields: dict[str, str]) -> Fields:
    """Takes `fields` apart; the rest of them is kept."""
    is_counted = any(name in fields for name in _COUNTED)
    fingerprint = [position, [fields.get(name) for name in _COUNTED]] if is_counted else None
    ids = {"anonymousId": fields.pop("cid", None), "userId": fields.pop("uid", None)}
    page = page_of(fields.pop("dl", ""), fields.pop("dr", ""), fields.pop("dt", ""))
    params = _take_params(fields)
    event = event_of(fields.pop("en", None), params, page, _context(fields))
    return finished({**event, **ids}, fingerprint)


def _take_params(fields: dict[str, str]) -> Fields:
    params = _take_prefixed(fields, "ep.", "epn.")
    if "cu" in fields:
        params["currency"] = fields.pop("cu")
    if "_et" in fields:
        params["engagement_time_msec"] = number_of(fields.pop("_et"))
    items = [_item(fields.pop(name)) for name in list(fields) if _ITEM.fullmatch(name)]
    return {**params, "items": items} if items else params


def _take_prefixed(fields: dict[str, str], texts: str, numbers: str) -> Fields:
    """Takes out the fields with one of two prefixes; those of `numbers` become numbers."""
    taken: Fields = {}
    for name in list(fields):
        if name.startswith(texts):
            taken[name.removeprefix(texts)] = fields.pop(name)
        elif name.startswith(numbers):
            taken[name.removeprefix(numbers)] = number_of(fields.pop(name))
    return taken


def _item(text: str) -> Fields:
    """One of an event's products. `k0` is the name of a parameter of the site's own, `v0` its value."""
    parts = [part.replace("~~", "~") for part in _ITEM_PART.findall(text)]
    by_key = {part[:2]: part[2:] for part in parts}
    item: dict[str, Any] = {}
    for key, value in by_key.items():
        name = _ITEM_NAMES.get(key)
        if name is not None:
            item[name] = number_of(value) if name in _ITEM_NUMBERS else value
        elif key[:1] == "k":
            item[value] = by_key.get(f"v{key[1:]}", "")
        elif key[:1] != "v":
            item[key] = value
    return item


def _context(fields: dict[str, str]) -> Fields:
    return {
        "library": {"name": "gtag"},
        "traits": _take_prefixed(fields, "up.", "upn."),
        "consent": consent_of(in_query(fields.get("gcs", ""), fields.get("gcd", ""))),
        "sessionId": fields.pop("sid", None),
        "locale": fields.pop("ul", None),
        "screen": screen_of(fields.pop("sr", "")),
        "ga4": fields,
    }
