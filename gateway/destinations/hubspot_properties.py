"""HubSpot's properties: internal names, and values that are texts.

Sources: HubSpot's "Send custom event occurrences" (limits) and "Properties" (values of checkboxes, several with
semicolons between).
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from gateway.destinations.fields import as_text, flat

MAX_EVENT_PROPERTIES = 50
MAX_VALUE_CHARACTERS = 256
MAX_URL_CHARACTERS = 1024

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_OF_ADDRESSES = ("url", "referrer")


def property_name(key: str) -> str:
    """As HubSpot's internal names are: in lower case, with underscores for what may not be in one."""
    return re.sub(r"[^a-z0-9_]", "_", key.lower())


def property_value(value: Any) -> str | None:
    """A text, whatever the property's type is. None for what has no such form: an object, a list of them, nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        members = [as_text(member) for member in value]
        told = [member for member in members if member]
        return ";".join(told) if told and len(told) == len(members) else None
    return as_text(value)


def chosen_properties(traits: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """The traits that there are properties for, each under the name of its property."""
    told = ((property_name(key), property_value(value)) for key, value in flat(traits).items())
    return {name: value for name, value in told if name in names and value is not None}


def event_properties(properties: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """What an occurrence can hold of an event's properties, and which repairs that took."""
    kept: dict[str, str] = {}
    repairs: set[str] = set()
    for key, value in flat(properties).items():
        name, told = property_name(key), property_value(value)
        if told is None or not _NAME.fullmatch(name) or len(kept) == MAX_EVENT_PROPERTIES:
            repairs |= {"property_left_out"} if value not in (None, "", [], {}) else set()
            continue
        limit = MAX_URL_CHARACTERS if name.endswith(_OF_ADDRESSES) else MAX_VALUE_CHARACTERS
        repairs |= {"value_cut"} if len(told) > limit else set()
        kept[name] = told[:limit]
    return kept, sorted(repairs)
