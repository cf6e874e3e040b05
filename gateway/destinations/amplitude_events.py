"""An event in Amplitude's words: the keys and the shapes of one member of `events`.

Source: Amplitude's "HTTP V2 API" (keys, invalid ids), "Identify API" and "Group Identify API" (operations); the
properties of a page view are those of Amplitude's own browser library.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.destinations.analytics import Device, address, arrival, device, known_id, numbers, texts, viewed
from gateway.destinations.commerce import Product
from gateway.destinations.fields import (
    find,
    milliseconds,
    present,
    referrer,
    text,
    timestamp_ms,
    url,
)
from gateway.govern.integrations import options
from gateway.model.event import Event

REFUSED_IDS = ("{}", "lmy47d")
LIBRARY = "headwater"

_PLATFORMS = {"ios": "iOS", "android": "Android"}
_TEXTS = {
    "app_version": "context.app.version",
    "carrier": "context.network.carrier",
    "city": "context.location.city",
    "country": "context.location.country",
    "ip": "context.ip",
    "language": "context.locale",
    "region": "context.location.region",
}
_NUMBERS = {"location_lat": "context.location.latitude", "location_lng": "context.location.longitude"}
_ADVERTISING_IDS = {"iOS": "idfa", "Android": "adid"}


def ids(event: Event, min_length: int) -> tuple[dict[str, str], Sequence[str]]:
    """Who it is, without the ids that Amplitude refuses, and whether there were such."""
    said = {"user_id": text(event, "userId"), "device_id": text(event, "anonymousId", "context.device.id")}
    known = {
        "user_id": known_id(event, "userId", REFUSED_IDS),
        "device_id": known_id(event, "anonymousId", REFUSED_IDS) or known_id(event, "context.device.id", REFUSED_IDS),
    }
    kept = {key: value for key, value in known.items() if value is not None and len(value) >= min_length}
    return kept, ["refused_id"] if any(said[key] and key not in kept for key in said) else []


def moment(event: Event, title: str, part: str = "") -> dict[str, Any]:
    """When, in which session, and by what it is known again; `part` tells apart what is made of one event."""
    session_ms = timestamp_ms(options(event, title).get("session_id") or find(event, "context.sessionId")) or 0
    return present(
        time=milliseconds(event),
        insert_id=event["messageId"] + part,
        session_id=session_ms if session_ms > 0 else None,
        library=LIBRARY,
    )


def surroundings(event: Event) -> dict[str, Any]:
    """Where and on what."""
    seen, kind = device(event), _platform(event)
    advertising_id = text(event, "context.device.advertisingId")
    return {
        **texts(event, _TEXTS),
        **numbers(event, _NUMBERS),
        **present(
            platform=kind,
            os_name=_system(seen, kind),
            os_version=_system_version(seen, kind),
            device_brand=seen.brand,
            device_manufacturer=seen.manufacturer,
            device_model=seen.model,
        ),
        **({_ADVERTISING_IDS[kind]: advertising_id} if advertising_id and kind in _ADVERTISING_IDS else {}),
    }


def page_view(event: Event) -> dict[str, Any]:
    """What was viewed, and what Amplitude's own library tells of a page."""
    where = url(event)
    parts = address(where)
    return {
        **viewed(event),
        **present(
            **{
                "[Amplitude] Page Domain": parts.hostname,
                "[Amplitude] Page Location": where,
                "[Amplitude] Page Path": parts.path,
                "[Amplitude] Page Title": text(event, "context.page.title", "properties.title"),
                "[Amplitude] Page URL": where.partition("?")[0] if where else None,
            }
        ),
    }


def screen_view(event: Event) -> dict[str, Any]:
    """What was viewed, and the screen's name as Amplitude's own libraries tell it."""
    return {**viewed(event), **present(**{"[Amplitude] Screen Name": text(event, "name", "properties.name")})}


def user_properties(event: Event, said: Mapping[str, Any]) -> dict[str, Any]:
    """Operations: what is said is set; what campaign brought them, too, and the first one is kept."""
    campaign = arrival(event)
    came_from = {"referrer": referrer(event), "referring_domain": address(referrer(event)).hostname}
    latest = present(**campaign, **came_from) if campaign else {}
    first = {f"initial_{key}": value for key, value in latest.items()}
    return present(**{"$set": {**latest, **said}, "$setOnce": first})


def earned(amount: float, kind: str, currency: str, listed: Sequence[Product]) -> dict[str, Any]:
    """The keys of revenue. Amplitude works price by quantity out itself and would prefer it, so neither is said."""
    return present(
        revenue=amount, revenueType=kind, currency=currency, productId=listed[0].id if len(listed) == 1 else None
    )


def bought(product: Product, kind: str, currency: str) -> dict[str, Any]:
    """The keys of revenue of one product, whose quantity must be whole to be told."""
    price, quantity = product.price or 0, product.quantity or 1
    is_whole = isinstance(quantity, int)
    money = {"price": price, "quantity": quantity} if is_whole else {"revenue": round(price * quantity, 6)}
    return {**money, **present(productId=product.id, revenueType=kind, currency=currency)}


def _platform(event: Event) -> str | None:
    said = text(event, "context.device.type")
    if said:
        return _PLATFORMS.get(said.lower(), said)
    return "Web" if find(event, "context.page") is not None else None


def _system(seen: Device, platform: str | None) -> str | None:
    """Of the web, Amplitude's name for the browser."""
    return seen.browser if platform == "Web" else seen.os


def _system_version(seen: Device, platform: str | None) -> str | None:
    if platform == "Web":
        return None if seen.browser_version is None else str(seen.browser_version)
    return seen.os_version
