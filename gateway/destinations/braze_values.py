"""What Braze keeps of a user and of what happened: the fields of its profiles, attributes, properties.

Sources: Braze's documentation, "User attributes object" (profile fields, what null does), "Event object" and "Purchase
object" (names of 1 to 255 characters that do not begin with a dollar sign, texts of up to 255 characters, names that
are its own).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.destinations import people
from gateway.destinations.fields import present, traits, without
from gateway.model.event import Event

MAX_CHARACTERS = 255

_RESERVED = frozenset({"time", "event_name"})
_GENDERS = frozenset("MFONP")
_IDENTIFIERS = frozenset(
    {"external_id", "braze_id", "user_alias", "alias_name", "alias_label", "push_token_import", "_update_existing_only"}
)
_IN_THE_PROFILE = frozenset(
    {"email", "phone", "phoneNumber", "phone_number", "gender", "birthday", "dateOfBirth", "date_of_birth"}
    | {"firstName", "first_name", "firstname", "lastName", "last_name", "lastname", "city", "country"}
)


def attributes(event: Event) -> tuple[dict[str, Any], Sequence[str]]:
    """A user's traits: Braze's own profile fields, and the rest as custom attributes.

    A trait that is null takes its attribute away; inside of an attribute Braze bears no null.
    """
    custom = {
        key: value for key, value in traits(event).items() if key not in _IDENTIFIERS and key not in _IN_THE_PROFILE
    }
    kept = {name: _storable(value) for key, value in custom.items() if (name := storable_name(key))}
    return kept | _profile(event), () if kept == custom else ("attribute_changed",)


def storable_properties(said: Mapping[str, Any]) -> dict[str, Any]:
    """Properties of an event or a purchase. A name that is Braze's own gets an underscore."""
    kept = {name: _storable(value) for key, value in without(said, ()).items() if (name := storable_name(key))}
    return {f"{key}_" if key in _RESERVED else key: value for key, value in kept.items()}


def storable_name(said: str) -> str:
    """Of an event, a property or an attribute; empty where nothing is left."""
    return said.lstrip("$")[:MAX_CHARACTERS]


def _profile(event: Event) -> dict[str, Any]:
    person = people.person_of(event)
    gender = people.gender(person.gender) or person.gender or ""
    born = people.birthday(person.birthday)
    return present(
        email=person.email,
        phone=people.phone_e164(person.phone, person.country) or person.phone,
        first_name=person.first_name,
        last_name=person.last_name,
        gender=gender.upper() if gender.upper() in _GENDERS else None,
        dob=f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else None,
        home_city=person.city,
        country=(people.country_code(person.country) or "").upper() or person.country,
    )


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_CHARACTERS]
    if isinstance(value, list):
        return [_storable(each) for each in value if each is not None]
    if isinstance(value, Mapping):
        return {name: _storable(each) for key, each in without(value, ()).items() if (name := storable_name(key))}
    return value
