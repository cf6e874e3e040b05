"""Who a GA4 request is about: the client, the session, the person's properties, the device and the place. Pure.

Source: "Measurement Protocol reference" (payload, user_location, device), Google's Event Builder, which says that
`user_agent` counts only without `device` and `ip_override` only without `user_location`, and for the cookies gtag.js.
What is not documented anywhere is the form of the cookies: GA1 of `_ga`, GS1 and since 2025 GS2 of `_ga_STREAM`.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from gateway.destinations.fields import cookie, external_id, number, present, table, text
from gateway.destinations.ga4_contract import MAX_VALUE
from gateway.destinations.people import sha256
from gateway.govern.integrations import options, plain
from gateway.model.event import Event

TITLE = "Google Analytics 4"
DEFAULT_ENGAGEMENT_MS = 1
"""Zero would keep the event out of the counts of active users."""
MAX_USER_AGENT = 1000

_CLIENT_COOKIE = re.compile(r"GA1\.[^.]+\.(\d+\.\d+)", re.ASCII)
_SESSION_COOKIE = re.compile(r"GS1\.[^.]+\.(\d+)\.(\d+)(?:\..*)?", re.ASCII)
_SESSION_FIELDS = re.compile(r"GS2\.[^.]+\.(.+)")
_APP_INSTANCE = re.compile(r"[0-9A-Fa-f]{32}")
_COUNTRY = re.compile(r"[A-Za-z]{2}")
_REGION = re.compile(r"(?:[A-Za-z]{2}-)?([A-Za-z0-9]{1,3})", re.ASCII)
_CATEGORIES = {"ios": "mobile", "android": "mobile", "mobile": "mobile", "tablet": "tablet", "desktop": "desktop"}


class Session(NamedTuple):
    """Both are digits, or empty."""

    id: str = ""
    number: str = ""


def client_id(event: Event) -> str | None:
    """gtag's where it is known, so that the event joins what the browser sent; else one that stays the same."""
    chosen = options(event, TITLE)
    said = text(chosen, "clientId", "client_id") or external_id(event, "ga4ClientId")
    of_cookie = _CLIENT_COOKIE.fullmatch(cookie(event, "_ga") or "")
    return said or (of_cookie[1] if of_cookie else None) or text(event, "anonymousId") or sha256(text(event, "userId"))


def app_instance_id(event: Event) -> str | None:
    """Only the Firebase SDK in the app has it."""
    chosen = options(event, TITLE)
    said = text(chosen, "appInstanceId", "app_instance_id", "firebaseAppInstanceId")
    found = said or external_id(event, "ga4AppInstanceId") or text(event, "anonymousId") or ""
    return found if _APP_INSTANCE.fullmatch(found) else None


def session_of(event: Event, stream: str) -> Session:
    """gtag's where it is known, else the event's own; what is not digits becomes a number.

    Without any GA4 counts no active user, so then the visitor's day (UTC) is the session.
    """
    chosen = options(event, TITLE)
    said = text(chosen, "sessionId", "session_id")
    of_cookie = _session_of_cookie(cookie(event, f"_ga_{stream}") or "")
    if said is None and of_cookie.id:
        return Session(of_cookie.id, _digits(text(chosen, "sessionNumber", "session_number")) or of_cookie.number)
    own = said or text(event, "context.sessionId", "context.session_id")
    count = text(chosen, "sessionNumber", "session_number") or text(event, "context.sessionCount")
    if own:
        return Session(_as_number(own), _digits(count))
    return Session(_as_number(f"{text(event, 'anonymousId', 'userId')} {event['timestamp'][:10]}"))


def engagement_ms(event: Event) -> int:
    """How long the visitor was engaged since the event before, as far as the event says."""
    chosen = number(options(event, TITLE), "engagementTimeMsec", "engagement_time_msec")
    said = chosen or number(event, "properties.engagement_time_msec", "properties.engaged_ms")
    return max(round(said), DEFAULT_ENGAGEMENT_MS) if said and said < 2**53 else DEFAULT_ENGAGEMENT_MS


def plain_traits(event: Event, personal: Collection[str]) -> dict[str, Any]:
    """Of the person, without those whose names say that they tell who it is."""
    names = {plain(name) for name in personal}
    known = table(event, "traits" if event["type"] == "identify" else "context.traits")
    return {key: value for key, value in known.items() if plain(key) not in names}


def surroundings(event: Event, *, is_app: bool, with_ip: bool) -> dict[str, Any]:
    """Device and place, each in the form in which GA4 takes most from it."""
    agent = text(event, "context.userAgent")
    by_agent = agent if not is_app else None
    location = _user_location(event)
    return present(
        user_agent=by_agent[:MAX_USER_AGENT] if by_agent else None,
        device={} if by_agent else _device(event),
        user_location=location,
        ip_override=text(event, "context.ip") if with_ip and not location else None,
    )


def _session_of_cookie(value: str) -> Session:
    older = _SESSION_COOKIE.fullmatch(value)
    if older:
        return Session(older[1], older[2])
    newer = _SESSION_FIELDS.fullmatch(value)
    fields = {part[:1]: _digits(part[1:]) for part in newer[1].split("$")} if newer else {}
    return Session(fields.get("s", ""), fields.get("o", ""))


def _digits(value: str | None) -> str:
    return value if value and value.isascii() and value.isdigit() else ""


def _as_number(session_id: str) -> str:
    """Of ten digits at most, like gtag's; the same for the same session."""
    return _digits(session_id) or str(int(hashlib.sha256(session_id.encode(errors="replace")).hexdigest()[:8], 16))


def _device(event: Event) -> dict[str, Any]:
    width, height = number(event, "context.screen.width"), number(event, "context.screen.height")
    kind = (text(event, "context.device.type") or "").lower()
    return present(
        category=_CATEGORIES.get(kind),
        language=_short(event, "context.locale"),
        screen_resolution=f"{width:g}x{height:g}" if width and height else None,
        operating_system=_short(event, "context.os.name"),
        operating_system_version=_short(event, "context.os.version"),
        model=_short(event, "context.device.model"),
        brand=_short(event, "context.device.manufacturer", "context.device.brand"),
    )


def _short(event: Mapping[str, Any], *paths: str) -> str | None:
    found = text(event, *paths)
    return found[:MAX_VALUE] if found else None


def _user_location(event: Event) -> dict[str, Any]:
    """A region is told as ISO 3166-2 has it, "US-CA"; where only its name is known, it is left out."""
    location = table(event, "context.location")
    country = text(location, "country", "country_code") or ""
    if not _COUNTRY.fullmatch(country):
        return {}
    region = _REGION.fullmatch(text(location, "region", "region_code") or "")
    return present(
        city=_short(location, "city"),
        region_id=f"{country}-{region[1]}".upper() if region else None,
        country_id=country.upper(),
    )
