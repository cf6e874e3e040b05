"""What is done to the events of a source before they are kept: fields removed or hashed, addresses cut. Pure.

Events come as any JSON, decoded; a number may be an orjson.Fragment, the text that it was written in, and stays one.
The event that is handed in is never changed, and handed back itself where no rule concerns it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import orjson

from gateway.config import PrivacySettings
from gateway.govern.emails import AT, may_hold, replaced
from gateway.govern.parameters import blanked
from gateway.govern.places import GONE, changed_at, parsed

MOST_GROWTH = 3
"""How many times its own size an event may grow by its hashes: what would be hashed beyond that is removed. A hash may
take the place of a single digit, and whoever knows the write key may send many of them."""
MAX_MESSAGE_ID_CHARACTERS = 256
MAX_ID_CHARACTERS = 512
IDS = ("messageId", "userId", "anonymousId", "groupId", "previousId")
"""An event has to have these, so of an address that must not stay a hash does, whatever the rule is."""

_HASH_CHARACTERS = 64
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_PREFIX = {4: 24, 6: 48}
_ADDRESS_PATHS = parsed(["context.ip", "properties.$ip"])
"""The second is PostHog's."""
_PAGE_PATHS = parsed(
    [f"{holder}.{key}" for holder in ("context.page", "properties") for key in ("url", "referrer", "search")]
)
_STRICTNESS = ("keep", "truncate", "drop")


class Ration:
    """The characters by which one event may still grow."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def takes(self, characters: int) -> bool:
        """Whether there is room for them; then they are taken."""
        if characters > self._left:
            return False
        self._left -= max(characters, 0)
        return True


class Privacy:
    """The rules of one source, made ready."""

    def __init__(self, settings: PrivacySettings) -> None:
        self._ip, self._emails = settings.ip, settings.emails
        self._key = settings.hash_key.get_secret_value().encode()
        self._removed, self._hashed = parsed(settings.remove), parsed(settings.hash)
        self._hashed_ids = [key for key in IDS if (changed_at({key: ""}, self._hashed, lambda _: GONE) == {})]
        self._parameters = frozenset(name.lower() for name in settings.url_parameters)
        self._hint = _hint(settings)

    def may_touch(self, raw: bytes) -> bool:
        """Whether a rule may concern the event with this JSON, in valid UTF-8 and without needless escapes; cheap."""
        return self._hint.search(raw) is not None

    def applied(self, event: Mapping[str, Any], size_bytes: int) -> Mapping[str, Any]:
        """The event as it may be kept. `size_bytes` is that of its JSON, by which its growth is measured."""
        ration = Ration(MOST_GROWTH * size_bytes)
        event = changed_at(event, self._removed, lambda _: GONE)
        if self._ip != "keep":
            event = changed_at(event, _ADDRESS_PATHS, self._cut)
        event = self._with_ids(event)
        event = changed_at(event, self._hashed, partial(self._hash_in, ration=ration))
        if self._parameters:
            event = changed_at(event, _PAGE_PATHS, self._blanked)
        return event if self._emails == "keep" else self._without_emails(event, ration)

    def address(self, text: str) -> str:
        """The client's address as it may be kept; empty where it may not."""
        if self._ip == "keep":
            return text
        found = self._cut(text)
        return "" if found is GONE else str(found)

    def message_id(self, text: str) -> str:
        """The id of an event, as `applied` writes it into the event."""
        return self._id("messageId", text)

    def text(self, text: str) -> str:
        """A text from beside the event, like a header or a cookie."""
        return text if self._emails == "keep" else self._email_free(text, Ration(MOST_GROWTH * len(text)))

    def _cut(self, value: Any) -> Any:
        """What is no address has no network: it goes."""
        if self._ip == "drop" or not isinstance(value, str):
            return GONE
        try:
            address = ip_address(value.strip().partition("%")[0])
        except ValueError:
            return GONE
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        return str(ip_network((address, _PREFIX[address.version]), strict=False).network_address)

    def _digest(self, text: str) -> str:
        content = text.strip().lower().encode(errors="surrogatepass")
        if self._key:
            return hmac.new(self._key, content, hashlib.sha256).hexdigest()
        return hashlib.sha256(content).hexdigest()

    def _with_ids(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = {key: self._id(key, value) for key in IDS if isinstance(value := event.get(key), str)}
        return {**event, **changed} if any(event[key] != value for key, value in changed.items()) else event

    def _id(self, key: str, value: str) -> str:
        if key in self._hashed_ids:
            return value if _is_hash_or_nothing(value) else self._digest(value)
        if self._emails == "keep":
            return value
        found = replaced(value, self._digest)
        limit = MAX_MESSAGE_ID_CHARACTERS if key == "messageId" else MAX_ID_CHARACTERS
        return found if len(found) <= limit or found == value else self._digest(value)

    def _hash_in(self, value: Any, ration: Ration) -> Any:
        """Texts and numbers hashed, those within objects and lists as well; true, false and null name nobody."""
        if isinstance(value, Mapping):
            return {key: self._hash_in(held, ration) for key, held in value.items()}
        if isinstance(value, list):
            return [self._hash_in(held, ration) for held in value]
        if value is None or isinstance(value, bool):
            return value
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        if isinstance(value, str) and _is_hash_or_nothing(value):
            return value
        return self._digest(text) if ration.takes(_HASH_CHARACTERS + 2 - len(text)) else ""

    def _blanked(self, value: Any) -> Any:
        found = blanked(value, self._parameters) if isinstance(value, str) else value
        return value if found == value else found

    def _without_emails(self, event: Mapping[str, Any], ration: Ration) -> Mapping[str, Any]:
        own = {key: value for key in IDS if isinstance(value := event.get(key), str)}
        others = {key: value for key, value in event.items() if key not in own}
        found = self._emails_out(others, ration)
        name = event.get("event")
        if isinstance(name, str) and name.strip() and not found["event"].strip():  # a track event needs a name
            found = {**found, "event": self._digest(name)}
        return event if found is others else {**own, **found}

    def _emails_out(self, value: Any, ration: Ration) -> Any:
        if isinstance(value, str):
            return self._email_free(value, ration)
        if isinstance(value, list):
            members = [self._emails_out(member, ration) for member in value]
            return members if any(new is not old for new, old in zip(members, value, strict=True)) else value
        return self._keys_and_values(value, ration) if isinstance(value, Mapping) else value

    def _keys_and_values(self, table: Mapping[str, Any], ration: Ration) -> Mapping[str, Any]:
        """An entry under an address loses its key; where addresses are removed it goes, as others may be the same."""
        result: dict[str, Any] = {}
        is_changed = False
        for key, held in table.items():
            name = self._email_free(key, ration)
            if name != key and self._emails == "remove":
                is_changed = True
                continue
            result[name] = self._emails_out(held, ration)
            is_changed |= name != key or result[name] is not held
        return result if is_changed else table

    def _email_free(self, text: str, ration: Ration) -> str:
        if not may_hold(text):
            return text

        def replacement(address: str) -> str:
            hashes = self._emails == "hash" and ration.takes(_HASH_CHARACTERS - len(address))
            return self._digest(address) if hashes else ""

        return replaced(text, replacement)


def compiled(settings: PrivacySettings) -> Privacy | None:
    """The rules, or None where there are none."""
    return Privacy(settings) if _concerns_events(settings) else None


def strictest(all_settings: Iterable[PrivacySettings]) -> Privacy | None:
    """For what came from nobody knows which source: no address is kept that one of them would not keep."""
    known = list(all_settings)
    if not any(map(_concerns_events, known)):
        return None
    ip = max((each.ip for each in known), key=_STRICTNESS.index)
    return Privacy(PrivacySettings(ip=ip, emails="remove"))


def _concerns_events(settings: PrivacySettings) -> bool:
    asked = (settings.remove, settings.hash, settings.url_parameters)
    return any(asked) or settings.ip != "keep" or settings.emails != "keep"


def _hint(settings: PrivacySettings) -> re.Pattern[bytes]:
    """What the JSON of an event must hold for a rule to concern it; an escape may hide any of it."""
    if settings.remove or settings.hash:
        return re.compile(b"")
    words = [rb"\\u00"]
    if settings.ip != "keep":
        words.append(rb'ip"')
    if settings.url_parameters:
        words.append(b"=")
    if settings.emails != "keep":
        words.append(AT.encode())
    return re.compile(b"|".join(words))


def _is_hash_or_nothing(text: str) -> bool:
    return not text.strip() or _HASH.fullmatch(text) is not None
