"""Who a person is, for tools that match people: normalised as the vendors say, and hashed.

Source: the parameter pages of Meta's Conversions API ("Customer information parameters"), Google's enhanced
conversions ("Format your data"), and those of TikTok, Pinterest, Snapchat, Reddit and LinkedIn, which agree but where a
function says so. Hashes are SHA-256 in lower-case hex. What is hashed already is passed on: hashing it again would
match nobody.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers

from gateway.destinations.fields import find, text, without
from gateway.model.event import Event, parse_time

_HASHED = re.compile(r"[0-9a-fA-F]{64}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_GENDERS = {"f": "f", "female": "f", "w": "f", "woman": "f", "m": "m", "male": "m", "man": "m"}
_COUNTRY_LENGTH = 2


@dataclass(frozen=True, slots=True)
class Person:
    """What an event says of its person, as it says it. None: nothing."""

    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    gender: str | None = None
    birthday: str | None = None
    street: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


def person_of(event: Event) -> Person:
    """From traits, the traits in `context`, and for what is said at a checkout, the properties."""
    first, last = _names(event)
    return Person(
        email=_said(event, "email"),
        phone=_said(event, "phone", "phoneNumber", "phone_number"),
        first_name=first,
        last_name=last,
        gender=_said(event, "gender"),
        birthday=_said(event, "birthday", "dateOfBirth", "date_of_birth"),
        street=_said(event, "address.street", "street"),
        city=_said(event, "address.city", "city"),
        state=_said(event, "address.state", "address.region", "state"),
        postal_code=_said(event, "address.postalCode", "address.postal_code", "address.zip", "postalCode", "zip"),
        country=_said(event, "address.country", "country"),
    )


def hashes(event: Event, phone_country: str) -> dict[str, str]:
    """What is known of the person, under the short names that Meta, Pinterest and Snapchat share.

    A phone number without country code is one of the person's country, else of `phone_country`.
    """
    person = person_of(event)
    country = country_code(person.country)
    found = {
        "em": sha256(email(person.email)),
        "ph": sha256(phone_digits(person.phone, country or phone_country)),
        "fn": sha256(name(person.first_name)),
        "ln": sha256(name(person.last_name)),
        "ge": hashed(person.gender, gender),
        "db": hashed(person.birthday, birthday),
        "ct": sha256(place(person.city)),
        "st": sha256(place(person.state)),
        "zp": hashed(person.postal_code, lambda code: postal_code(code, country)),
        "country": hashed(person.country, country_code),
    }
    return {key: value for key, value in found.items() if value}


def actor_of(event: Event) -> Person:
    """Who did it, for tools that keep a record of each person. The traits of a group are not theirs, and where the user
    is known, an address among the properties is somebody else's: of one who was invited, or sent a gift."""
    of_others = {"traits"} if event.get("type") == "group" else set()
    if event.get("userId"):
        of_others.add("properties")
    return person_of(without(event, frozenset(of_others)))


def sha256(value: str | None) -> str | None:
    """The hash of a normalised value; of one that is a hash itself, that."""
    if not value:
        return None
    if _HASHED.fullmatch(value):
        return value.lower()
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


def hashed(value: str | None, normalised: Callable[[str | None], str | None]) -> str | None:
    """The hash of what normalising leaves of a value; of one that is a hash itself, that, unshortened."""
    return sha256(value if value and _HASHED.fullmatch(value) else normalised(value))


def email(value: str | None) -> str | None:
    """Trimmed, in lower case; None where it is none."""
    found = (value or "").strip().lower()
    return found if _EMAIL.fullmatch(found) or _HASHED.fullmatch(found) else None


def plain_email(value: str | None) -> str | None:
    """The same, and no hash: for tools that write to people."""
    found = email(value)
    return found if found and "@" in found else None


def google_email(value: str | None) -> str | None:
    """The same without what Gmail ignores: dots before the @, and what follows a plus."""
    found = email(value)
    if found is None or "@" not in found:
        return found
    local, _, domain = found.rpartition("@")
    if domain in _GMAIL:
        local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None


def reddit_email(value: str | None) -> str | None:
    """The same without dots before the @ and without what follows a plus, wherever the mailbox is."""
    found = email(value)
    if found is None or "@" not in found:
        return found
    local, _, domain = found.rpartition("@")
    local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None


def phone_e164(value: str | None, country: str | None) -> str | None:
    """`+` and digits. A number without country code is read as one of `country` (ISO 3166); without that, None."""
    if not value:
        return None
    if _HASHED.fullmatch(value):
        return value.lower()
    try:
        parsed = phonenumbers.parse(value, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def phone_digits(value: str | None, country: str | None) -> str | None:
    """The same without the plus: Meta, Pinterest, Snapchat."""
    found = phone_e164(value, country)
    return found.removeprefix("+") if found else None


def name(value: str | None) -> str | None:
    """In lower case, without punctuation; letters of any script stay."""
    letters = [each for each in (value or "").strip().lower() if unicodedata.category(each)[0] not in "PSC"]
    return "".join(letters).strip() or None


def place(value: str | None) -> str | None:
    """A city or state: in lower case, without spaces and punctuation."""
    found = name(value)
    return "".join(found.split()) or None if found else None


def postal_code(value: str | None, country: str | None) -> str | None:
    """In lower case without spaces and dashes; of the United States the first five digits."""
    found = "".join((value or "").lower().split()).replace("-", "")
    is_american = country_code(country) == "us" or (not country and found.isdigit() and len(found) == 9)  # noqa: PLR2004 - ZIP+4
    return (found[:5] if is_american else found) or None


def country_code(value: str | None) -> str | None:
    """ISO 3166 in lower case; None for a name, which is not guessed."""
    found = (value or "").strip().lower()
    return found if len(found) == _COUNTRY_LENGTH and found.isascii() and found.isalpha() else None


def gender(value: str | None) -> str | None:
    """`f` or `m`."""
    return _GENDERS.get((value or "").strip().lower())


def birthday(value: str | None) -> str | None:
    """YYYYMMDD."""
    digits = (value or "").strip().replace("-", "").replace("/", "")
    if len(digits) == 8 and digits.isascii() and digits.isdigit():  # noqa: PLR2004 - a date without separators
        return digits
    moment = parse_time(value)
    return f"{moment:%Y%m%d}" if moment else None


def _said(event: Event, *keys: str) -> str | None:
    return text(event, *(f"{holder}.{key}" for holder in ("traits", "context.traits", "properties") for key in keys))


def _names(event: Event) -> tuple[str | None, str | None]:
    first = _said(event, "firstName", "first_name", "firstname")
    last = _said(event, "lastName", "last_name", "lastname")
    whole = find(event, "traits.name", "context.traits.name")
    if first or last or not isinstance(whole, str) or len(whole.split()) != 2:  # noqa: PLR2004 - what is more cannot be told apart
        return first, last
    given, family = whole.split()
    return given, family
