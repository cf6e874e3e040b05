"""Reading events: the places where the Segment spec, and people's code, put what destinations ask for.

Clients send anything anywhere, so nothing here raises: what is absent or of another kind is None. Source: Segment's
spec, "Identify: traits", "Common fields: context" and "E-commerce events".
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from gateway.model.event import Event, parse_time

MAX_DIGITS = 300

_APPLE = frozenset({"ios", "ipados", "tvos", "watchos", "visionos"})


def find(event: Mapping[str, Any], *paths: str) -> Any:
    """The first value at one of the paths ("traits.email") that is not None, "" or {}; None where there is none."""
    for path in paths:
        value: Any = event
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value not in (None, "", {}, []):
            return value
    return None


def text(event: Mapping[str, Any], *paths: str) -> str | None:
    """The first text or number at one of the paths, as a text without spaces around it."""
    for path in paths:
        found = as_text(find(event, path))
        if found:
            return found
    return None


def number(event: Mapping[str, Any], *paths: str) -> float | None:
    """The first finite number at one of the paths; texts that are numbers count."""
    for path in paths:
        found = as_number(find(event, path))
        if found is not None:
            return found
    return None


def as_text(value: Any) -> str | None:
    """A text, or a number as people write it; None for anything else and for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def as_number(value: Any) -> float | None:
    """A finite number, also from a text ("12.50"); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > MAX_DIGITS or not value.isascii()):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def whole(value: Any) -> int | None:
    """A count: a number without fraction, from zero to what 32 bits hold; None for anything else."""
    found = as_number(value)
    return int(found) if found is not None and 0 <= found < 2**31 and int(found) == found else None


def table(event: Mapping[str, Any], *paths: str) -> Mapping[str, Any]:
    """The first mapping at one of the paths; empty where there is none."""
    for path in paths:
        found = find(event, path)
        if isinstance(found, Mapping):
            return found
    return {}


def properties(event: Event) -> Mapping[str, Any]:
    """What a track, page or screen says."""
    return table(event, "properties")


def traits(event: Event) -> Mapping[str, Any]:
    """What is known of the person: of an identify its own, of everything else those that came along in `context`."""
    return table(event, "traits", "context.traits")


def name(event: Event) -> str:
    """Of a track its event, of a page or screen its name; empty where it has none."""
    return as_text(event.get("event")) or text(event, "name", "properties.name") or ""


def seconds(event: Event) -> int:
    """When it happened, since the epoch."""
    return milliseconds(event) // 1000


def milliseconds(event: Event) -> int:
    """When it happened, since the epoch."""
    happened_at = parse_time(event.get("timestamp"))
    return round(happened_at.timestamp() * 1000) if happened_at else 0


def milliseconds_until_receipt(event: Event) -> int:
    """When it happened, but not after it was received: some vendors refuse what is yet to come."""
    received_at = timestamp_ms(event.get("receivedAt"))
    happened = milliseconds(event)
    return happened if received_at is None else min(happened, received_at)


def timestamp_ms(value: Any) -> int | None:
    """A time that a property holds, in milliseconds since the epoch; None where it is none."""
    moment = parse_time(value)
    return round(moment.timestamp() * 1000) if moment else None


def url(event: Event) -> str | None:
    """The address of the page."""
    return text(event, "context.page.url", "properties.url")


def web_url(event: Event) -> str | None:
    """The address of the page, if it is one on the web; apps and files have others."""
    address = url(event) or ""
    return address if address.startswith(("http://", "https://")) else None


def referrer(event: Event) -> str | None:
    """Where the page was reached from."""
    return text(event, "context.page.referrer", "properties.referrer")


def click_id(event: Event, key: str) -> str | None:
    """The id of a click on an advertisement (gclid, fbclid, ...): said outright, in the page's address, or remembered
    by the script since the visitor came."""
    said = text(event, f"properties.{key}", f"context.{key}", f"context.campaign.{key}", f"traits.{key}")
    return said or in_query(url(event), key) or text(event, f"context.attribution.last.clickIds.{key}")


def in_query(address: str | None, key: str) -> str | None:
    """A parameter of an address."""
    if not address or f"{key}=" not in address:
        return None
    try:
        return next(iter(parse_qs(urlsplit(address).query).get(key, ())), None)
    except ValueError:
        return None


def cookie(event: Event, key: str) -> str | None:
    """A first-party cookie that came with the request, where the owner has it kept (`sources.NAME.cookies`)."""
    return text(event, f"context.cookies.{key}")


def cookies(event: Event) -> Mapping[str, Any]:
    """All of them."""
    return table(event, "context.cookies")


def platform(event: Event) -> Literal["ios", "android", ""]:
    """Of an app's event the kind of phone; empty for what does not come from an app."""
    said = (text(event, "context.device.type") or "").lower()
    if said in _APPLE:
        return "ios"
    return "android" if said == "android" else ""


def advertising_id(event: Event) -> str | None:
    """What a phone is known by to advertisers, unless its owner forbade that."""
    said = text(event, "context.device.advertisingId")
    is_allowed = find(event, "context.device.adTrackingEnabled") is not False
    return said if said and is_allowed and said.strip("0-") else None


def external_id(event: Event, kind: str) -> str | None:
    """The id of that type in `context.externalId` or `context.externalIds`, lists of {type, id}."""
    for path in ("context.externalId", "context.externalIds"):
        listed = find(event, path)
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, Mapping) and entry.get("type") == kind:
                return as_text(entry.get("id"))
    return None


def flat(source: Mapping[str, Any], separator: str = "_", max_levels: int = 5) -> dict[str, Any]:
    """Nested mappings as one level of keys; lists and scalars stay as they are."""
    result: dict[str, Any] = {}
    for key, value in source.items():
        if isinstance(value, Mapping) and max_levels > 1:
            for inner, held in flat(value, separator, max_levels - 1).items():
                result[f"{key}{separator}{inner}"] = held
        else:
            result[key] = value
    return result


def without(source: Mapping[str, Any], keys: Sequence[str] | frozenset[str]) -> dict[str, Any]:
    """A copy without these keys and without what is None."""
    return {key: value for key, value in source.items() if key not in keys and value is not None}


def present(**fields: Any) -> dict[str, Any]:
    """The fields that say something: not None, "", {} or []."""
    return {key: value for key, value in fields.items() if value not in (None, "", {}, [])}
