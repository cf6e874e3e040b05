"""Whom and what Customer.io knows again, and what it keeps of them: identifiers, ids of events, attributes.

Sources: Customer.io's "Invalid Track API Requests" (the limits of attributes), its Track API reference (ids of events
are ULIDs), and its integration in Segment's action-destinations (how an id says of which kind it is).
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.destinations import people
from gateway.destinations.fields import find, text, timestamp_ms
from gateway.model.event import Event

MAX_ATTRIBUTES = 300
MAX_ATTRIBUTE_NAME_BYTES = 150
MAX_ATTRIBUTE_BYTES = 1000

_IDS = frozenset({"id", "cio_id", "userId", "anonymousId", "anonymous_id"})
_CREATED = ("createdAt", "created_at")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ULID = re.compile(f"[0-7][{_CROCKFORD}]{{25}}")


def known(event: Event) -> dict[str, str]:
    """The user, else the one whose address is known; empty for a stranger."""
    user_id, address = text(event, "userId"), people.person_of(event).email
    if user_id:
        return person(user_id)
    return {"email": address} if address and _is_address(address) else {}


def person(identifier: str) -> dict[str, str]:
    """By an id of Customer.io's own, by an address, else by an id of ours."""
    if identifier.startswith("cio_"):
        return {"cio_id": identifier.removeprefix("cio_")}
    return {"email" if _is_address(identifier) else "id": identifier}


def attributes(said: Mapping[str, Any]) -> tuple[dict[str, Any], Sequence[str]]:
    """Traits, without those that identify and those that would have the whole refused, which are a repair.

    When somebody or something was created is a time that Customer.io knows by itself: in seconds.
    """
    created_ms = timestamp_ms(find(said, *_CREATED))
    created = {} if created_ms is None else {"created_at": created_ms // 1000}
    wanted = created | {key: value for key, value in said.items() if key not in _IDS and key not in _CREATED}
    kept = [
        (key, value)
        for key, value in wanted.items()
        if len(key.encode(errors="replace")) <= MAX_ATTRIBUTE_NAME_BYTES and _size(value) <= MAX_ATTRIBUTE_BYTES
    ][: MAX_ATTRIBUTES - 1]  # one more may be the anonymous_id
    return dict(kept), () if len(kept) == len(wanted) else ("attribute_left_out",)


def ulid(message_id: str) -> str:
    """The message's id where it is a ULID itself; else 128 bits of its hash, the same at every attempt."""
    if _ULID.fullmatch(message_id):
        return message_id
    number = int.from_bytes(hashlib.sha256(message_id.encode(errors="replace")).digest()[:16], "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def _is_address(said: str) -> bool:
    return "@" in said and people.email(said) is not None


def _size(value: Any) -> int:
    return len(value.encode(errors="replace") if isinstance(value, str) else orjson.dumps(value))
