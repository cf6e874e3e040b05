"""An event in Mixpanel's words: the names and the shapes that it gives to properties.

Source: Mixpanel's "Import Events" (limits, refused ids), "Default Properties", "Reserved Properties", "Supported
Properties Data Type" and "Geolocation"; the properties of a page view are those of Mixpanel's own browser library.
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

import orjson

from gateway.destinations.analytics import address, arrival, device, known_id, numbers, texts, uuid_of, viewed
from gateway.destinations.fields import (
    milliseconds,
    present,
    referrer,
    table,
    text,
    timestamp_ms,
    url,
    without,
)
from gateway.destinations.people import country_code
from gateway.model.event import Event, parse_time
from gateway.model.junk import is_junk

T = TypeVar("T")

MAX_MEMBERS = 254
"""Of the properties, of an object among them, and of a list."""
MAX_DEPTH = 3
"""Of objects within one another."""
MAX_AHEAD_MS = 3_600_000
"""What is further in the future is refused."""
REFUSED_IDS = ("anon", "<nil>", "[]", "{}")
MERGEABLE_UUID = 4
"""The version that Original ID Merge takes for an anonymous id."""

_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
_RESERVED = frozenset({"bucket", "$bucket", "token", "$ignore"})
"""By these Mixpanel would hide or drop the event, or take it for another project's."""
_TEXTS = {
    "$app_build_number": "context.app.build",
    "$app_version_string": "context.app.version",
    "$carrier": "context.network.carrier",
    "$lib_version": "context.library.version",
    "mp_lib": "context.library.name",
}
_NUMBERS = {
    "$screen_dpi": "context.screen.density",
    "$screen_height": "context.screen.height",
    "$screen_width": "context.screen.width",
}
_PROFILE = {
    "avatar": "$avatar",
    "email": "$email",
    "firstName": "$first_name",
    "first_name": "$first_name",
    "lastName": "$last_name",
    "last_name": "$last_name",
    "name": "$name",
    "phone": "$phone",
}
_CREATED = ("createdAt", "created_at")


def user_of(event: Event) -> str | None:
    """The known user."""
    return known_id(event, "userId", REFUSED_IDS)


def visitor_of(event: Event) -> str | None:
    """The visitor's anonymous id."""
    return known_id(event, "anonymousId", REFUSED_IDS)


def is_mergeable(visitor_id: str) -> bool:
    """Whether Original ID Merge takes it for an anonymous id."""
    try:
        return uuid.UUID(visitor_id).version == MERGEABLE_UUID
    except ValueError:
        return False


def time_of(event: Event) -> int:
    """When it happened, in milliseconds; of what had not happened yet when it came, when it came."""
    received_ms = timestamp_ms(event.get("receivedAt"))
    return received_ms if is_ahead(event) and received_ms is not None else milliseconds(event)


def is_ahead(event: Event) -> bool:
    """Whether it is further in the future than Mixpanel bears."""
    received_ms = timestamp_ms(event.get("receivedAt"))
    return received_ms is not None and milliseconds(event) - received_ms > MAX_AHEAD_MS


def insert_id(event: Event, part: str = "") -> str:
    """The message id where it can be one; else one made of it, always the same. `part`: as in `uuid_of`."""
    message_id: str = event["messageId"]
    can_be_one = not part and _INSERT_ID.fullmatch(message_id) and not is_junk(message_id, REFUSED_IDS)
    return message_id if can_be_one else uuid_of(message_id, part)


def context(event: Event) -> dict[str, Any]:
    """Where, on what and by what it was sent."""
    seen, came_from = device(event), referrer(event)
    return {
        **texts(event, _TEXTS),
        **numbers(event, _NUMBERS),
        **arrival(event),
        **present(
            **{
                "$brand": seen.brand,
                "$browser": seen.browser,
                "$browser_version": seen.browser_version,
                "$current_url": url(event),
                "$manufacturer": seen.manufacturer,
                "$model": seen.model,
                "$os": seen.os,
                "$os_version": seen.os_version,
                "$referrer": came_from,
                "$referring_domain": address(came_from).hostname,
            }
        ),
    }


def page_view(event: Event) -> dict[str, Any]:
    """What was viewed, and the page's address in the parts that Mixpanel's own library tells."""
    parts = address(url(event))
    return {
        **viewed(event),
        **present(
            current_page_title=text(event, "context.page.title", "properties.title"),
            current_domain=parts.hostname,
            current_url_path=parts.path,
            current_url_protocol=f"{parts.scheme}:" if parts.scheme else None,
            current_url_search=f"?{parts.query}" if parts.query else None,
        ),
    }


def profile(said: Mapping[str, Any]) -> dict[str, Any]:
    """Traits, by Mixpanel's names where it has them."""
    home = table(said, "address")
    created = next(filter(None, (parse_time(said.get(key)) for key in _CREATED)), None)
    return {
        **without(said, frozenset(_PROFILE)),
        **{_PROFILE[key]: value for key, value in said.items() if key in _PROFILE and value is not None},
        **present(
            **{
                "$created": f"{created:%Y-%m-%dT%H:%M:%S}" if created else None,
                "$city": text(home, "city"),
                "$region": text(home, "state", "region"),
                "$country_code": (country_code(text(home, "country")) or "").upper(),
            }
        ),
    }


def fitted(said: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """As much as Mixpanel takes, and what had to be changed for it."""
    repairs: set[str] = set()
    kept = {key: value for key, value in said.items() if key not in _RESERVED}
    if len(kept) < len(said):
        repairs.add("reserved_property")
    return _fitted_object(kept, 0, repairs), sorted(repairs)


def _fitted_object(value: Mapping[str, Any], depth: int, repairs: set[str]) -> dict[str, Any]:
    if len(value) > MAX_MEMBERS:
        repairs.add("too_many_properties")
    return {key: _fitted_value(member, depth + 1, repairs) for key, member in _first(value.items())}


def _fitted_value(value: Any, depth: int, repairs: set[str]) -> Any:
    if isinstance(value, Mapping):
        if depth > MAX_DEPTH:
            repairs.add("nested_too_deep")
            return orjson.dumps(value).decode()
        return _fitted_object(value, depth, repairs)
    if isinstance(value, list):
        if len(value) > MAX_MEMBERS:
            repairs.add("too_long_list")
        return [_fitted_value(member, depth, repairs) for member in _first(value)]
    return value


def _first(members: Iterable[T]) -> Iterable[T]:
    return islice(members, MAX_MEMBERS)
