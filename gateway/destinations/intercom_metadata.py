"""What Intercom can hold of an event's properties and of traits: one level of texts, numbers, dates and amounts.

Source: Intercom's API reference, "Submit a data event" (types of metadata, how many keys, no nested JSON).
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

from gateway.destinations.fields import as_number, as_text, flat, timestamp_ms

_OBJECTS_THAT_ARE_VALUES = ({"url", "value"}, {"amount", "currency"})
"""A link with a text, and money in cents."""
_MONEY = frozenset({"price", "value", "total", "revenue", "subtotal", "shipping", "tax", "discount"})
_DATES = ("_date", "_at")
_CENTS = 100
_MAX_AMOUNT = 1e12


def metadata(properties: Mapping[str, Any], currency: str, max_keys: int) -> tuple[dict[str, Any], list[str]]:
    """The first `max_keys` of them in their order, and which repairs that took. Amounts are money where it is known in
    which currency."""
    said = {key: value for key, value in _one_level(properties) if value not in (None, "", [], {})}
    told = {key: _in_metadata(key, value, currency) for key, value in said.items()}
    kept = dict(islice(((key, value) for key, value in told.items() if value is not None), max_keys))
    return kept, ["metadata_left_out"] if len(kept) < len(said) else []


def attributes(traits: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The traits that there are custom attributes for."""
    told = {name: _scalar(name, traits.get(name)) for name in names}
    return {name: value for name, value in told.items() if value is not None}


def _one_level(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in properties.items():
        if isinstance(value, Mapping) and set(value) not in _OBJECTS_THAT_ARE_VALUES:
            yield from flat({key: value}).items()
        elif key == "products" and isinstance(value, list):
            yield key, [as_text(each.get("name")) for each in value if isinstance(each, Mapping)]
        else:
            yield key, value


def _in_metadata(key: str, value: Any, currency: str) -> Any:
    if isinstance(value, Mapping):
        return value if set(value) in _OBJECTS_THAT_ARE_VALUES else None
    if isinstance(value, bool):
        return str(value).lower()
    amount = as_number(value) if key in _MONEY and currency else None
    if amount is not None and 0 < amount < _MAX_AMOUNT:
        return {"amount": round(amount * _CENTS), "currency": currency.lower()}
    return _scalar(key, value)


def _scalar(key: str, value: Any) -> Any:
    """As it is; of several one text, of a date the seconds since the epoch. None for what has no such form."""
    if isinstance(value, list):
        members = [as_text(member) for member in value]
        told = [member for member in members if member]
        return ", ".join(told) if told and len(told) == len(members) else None
    moment_ms = timestamp_ms(value) if key.endswith(_DATES) else None
    if moment_ms is not None:
        return moment_ms // 1000
    return value if isinstance(value, bool | int | float) else as_text(value)
