"""What tools of product analytics ask of every event alike: whose it is, by what it is known again, what was seen and
bought, on which device, and what campaign led there.

Source: Mixpanel's "Import Events" and "Server-Side Best Practices", Amplitude's "HTTP V2 API", PostHog's "Capture and
batch API endpoints"; the click ids are those that the three vendors' own browser libraries keep.
"""

import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import ua_parser

from gateway.destinations.commerce import Product
from gateway.destinations.fields import as_number, find, in_query, number, present, properties, text, url, without
from gateway.model.event import Event
from gateway.model.junk import is_junk

CLICK_IDS = (
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "rdt_cid",
    "epik",
    "sccid",
)
_CAMPAIGN = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
}
_SUMS = frozenset({"products", "total", "revenue", "subtotal", "value", "shipping", "tax", "discount", "coupon"})
"""Properties that are about the whole of an order."""
_NOWHERE = urlsplit("")


class Device(NamedTuple):
    """As the client says, else as its user agent does. None: not known."""

    browser: str | None
    browser_version: float | None
    os: str | None
    os_version: str | None
    manufacturer: str | None
    brand: str | None
    model: str | None


def texts(event: Event, paths: Mapping[str, str]) -> dict[str, str]:
    """The texts at the paths, by the names that these have in `paths`."""
    return {name: found for name, path in paths.items() if (found := text(event, path)) is not None}


def numbers(event: Event, paths: Mapping[str, str]) -> dict[str, float]:
    """The same for numbers."""
    return {name: found for name, path in paths.items() if (found := number(event, path)) is not None}


def known_id(event: Event, path: str, refused: Collection[str] = ()) -> str | None:
    """The id there; None where it names nobody, or is one of those that the vendor refuses (in lower case)."""
    found = text(event, path)
    return None if found is None or is_junk(found, refused) else found


def uuid_of(message_id: str, part: str = "") -> str:
    """The id itself where it is a UUID, else one made of it (RFC 9562, version 5): the same at every attempt.

    `part` tells apart what is made of one event.
    """
    if not part:
        with suppress(ValueError):
            return str(uuid.UUID(message_id))
    return str(uuid.uuid5(uuid.NAMESPACE_OID, message_id + part))


def viewed(event: Event) -> dict[str, Any]:
    """The properties of a page or screen, its name and category among them."""
    return {**properties(event), **present(name=text(event, "name"), category=text(event, "category"))}


def purchase(event: Event, product: Product) -> dict[str, Any]:
    """The properties of an event about one product of an order."""
    return {**without(properties(event), _SUMS), **product.raw}


def device(event: Event) -> Device:
    """What the event was sent from. Where there is no page, the user agent is an app's or a server's, and not read."""
    is_web = find(event, "context.page") is not None
    agent = ua_parser.parse(text(event, "context.userAgent") or "" if is_web else "")
    browser, system, hardware = agent.user_agent, agent.os, agent.device
    version = _version(system.major, system.minor, system.patch) if system else None
    return Device(
        browser=browser.family if browser else None,
        browser_version=as_number(_version(browser.major, browser.minor)) if browser else None,
        os=text(event, "context.os.name") or (system.family if system else None),
        os_version=text(event, "context.os.version") or version,
        manufacturer=text(event, "context.device.manufacturer") or (hardware.brand if hardware else None),
        brand=text(event, "context.device.brand"),
        model=text(event, "context.device.model") or (hardware.model if hardware else None),
    )


def address(value: str | None) -> SplitResult:
    """An address in its parts; empty parts where it is none."""
    try:
        return urlsplit(value or "")
    except ValueError:
        return _NOWHERE


def arrival(event: Event) -> Mapping[str, str]:
    """Campaign and click on an advertisement that led to this page, by the names that the tools know them by."""
    campaign = {name: text(event, f"context.campaign.{key}") for name, key in _CAMPAIGN.items()}
    return present(**campaign, **{key: in_query(url(event), key) for key in CLICK_IDS})


def _version(*parts: str | None) -> str | None:
    return ".".join(part for part in parts if part is not None) or None
