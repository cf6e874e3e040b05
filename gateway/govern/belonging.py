"""Whether an event is a person's: the rules of the warehouse's `person_events`, for those who have the event alone."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from gateway.model.envelope import Envelope
from gateway.model.event import corrected_timestamp
from gateway.model.junk import is_junk
from gateway.model.person import USER_ID, Identifier, Known, Tenure

ANY_TRAIT = ""
"""The type of a strong identifier that may be any of the traits: all that is known of it is its value."""

_MICROSECONDS = 1_000_000


def of_bare_value(value: str) -> Known:
    """A person of whom no more is known than one identifier of an unknown type: it is taken for each of them."""
    tenure = Tenure(value, Identifier(USER_ID, value))
    return Known("", frozenset([value]), [tenure], [Identifier(ANY_TRAIT, value.strip().lower())])


def together(persons: Iterable[Known]) -> Known:
    """One person of whom each warehouse knows a part. There must be one at least."""
    known = list(persons)
    tenures = dict.fromkeys(tenure for each in known for tenure in each.tenures)
    others = dict.fromkeys(other for each in known for other in each.others)
    return Known(known[0].person_id, frozenset().union(*(each.user_ids for each in known)), list(tenures), list(others))


class Belonging:
    """Tells the events of one person from all others. Made once and asked often: most events are ruled out by a search
    of their bytes."""

    def __init__(self, person: Known) -> None:
        self._user_ids = person.user_ids
        self._tenures: dict[str, list[Tenure]] = {}
        for tenure in person.tenures:
            self._tenures.setdefault(tenure.anonymous_id, []).append(tenure)
        self._others = [(each.type, each.value.strip().lower()) for each in person.others]
        values = {*self._user_ids, *self._tenures, *(value for _, value in self._others)}
        plain = all(value.isascii() for value in values)
        self._words = [value.lower().encode() for value in values] if plain else None
        """What one of their events must hold, unless it is escaped; None where upper and lower case are not as plain
        as bytes see them."""

    def __call__(self, raw: bytes, envelope: Envelope) -> bool:
        """Whether the event is theirs, or names them: as the former id of an alias, or by a strong identifier."""
        if self._words is not None and b"\\" not in raw:
            text = raw.lower()
            if not any(word in text for word in self._words):
                return False
        event = _load(raw)
        if event is None:
            return False
        user_id = event.get("userId")
        if self._is_user(user_id) or self._is_user(event.get("previousId")):
            return True
        if isinstance(user_id, str) and not is_junk(user_id):
            return False
        return self._is_on_device(event, envelope) or self._is_named(event)

    def _is_user(self, value: object) -> bool:
        return isinstance(value, str) and value in self._user_ids

    def _is_on_device(self, event: Mapping[str, Any], envelope: Envelope) -> bool:
        anonymous_id = event.get("anonymousId")
        tenures = self._tenures.get(anonymous_id) if isinstance(anonymous_id, str) else None
        if not tenures:
            return False
        at_us = round(corrected_timestamp(event, envelope).timestamp() * _MICROSECONDS)
        return any(_holds(tenure, at_us) for tenure in tenures)

    def _is_named(self, event: Mapping[str, Any]) -> bool:
        if not self._others:
            return False
        stated = {(name, value) for traits in _traits(event) for name, value in _texts(traits)}
        values = {value for _, value in stated}
        return any(value in values if name == ANY_TRAIT else (name, value) in stated for name, value in self._others)


def _load(raw: bytes) -> dict[str, Any] | None:
    """The event; None where it is none, and so nobody's."""
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:  # numbers beyond 64 bits
        try:
            event = json.loads(raw)
        except ValueError:
            return None
    return event if isinstance(event, dict) else None


def _holds(tenure: Tenure, at_us: int) -> bool:
    return (tenure.from_us is None or tenure.from_us <= at_us) and (tenure.to_us is None or at_us < tenure.to_us)


def _traits(event: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    context = event.get("context")
    places = (event.get("traits"), context.get("traits") if isinstance(context, dict) else None)
    return (place for place in places if isinstance(place, dict))


def _texts(traits: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, value.strip().lower()) for name, value in traits.items() if isinstance(value, str))
