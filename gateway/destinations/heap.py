"""Heap: events, what is known of users and of accounts, and whose an anonymous visitor turned out to be.

Source: Heap's pages "Track" and "Bulk Track" (1,000 events a request, 15,000 a minute, idempotency_key, identity or
user_id and never both), "Identify", "Bulk Add User Properties", "Bulk Add Account Properties". The number that stands
for an anonymous id is the one that Segment's destination gives it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import as_text, name, text, traits
from gateway.destinations.http_messages import Request
from gateway.govern.integrations import options
from gateway.model.event import Event

TITLE = "Heap"
MAX_BATCH_EVENTS = 1000
MAX_NAME = 1024
MAX_PROPERTY = 1023
MAX_IDENTITY = 255
MAX_USER_ID = 2**53 - 1
MAX_LEVELS = 5

LISTS = {"track": "events", "add_user_properties": "users", "add_account_properties": "accounts"}
"""The endpoints that take several things at once, and the key of their list."""
IDENTIFY = "v1/identify"
_VIEWED = {"page": "Page", "screen": "Screen"}


class HeapSettings(DestinationSettings):
    """Which environment."""

    type: Literal["heap"] = "heap"
    base_url: BaseUrl = "https://heapanalytics.com"
    """Of accounts in the European Union: https://c.eu.heap-api.com."""
    app_id: str
    """The id of the environment. It is all that Heap asks for, and not a secret: its script shows it."""
    account_property: str = ""
    """The user property that Heap's setting "Account ID" names; a group call then also says whose account it is."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS)
    """How much one request holds; Heap takes 1,000 events."""
    events_per_second: float = 250
    """Heap takes 15,000 events a minute."""


def map_event(event: Event, settings: HeapSettings) -> Sequence[Message]:
    """What Heap is told of the event; nothing where it belongs to nobody.

    Raises ValueError for a user id that Heap does not take: cut short, it would be somebody else's.
    """
    user_id = as_text(event.get("userId"))
    if user_id is not None and len(user_id) > MAX_IDENTITY:
        raise ValueError(f"the userId has {len(user_id)} characters, accepted are {MAX_IDENTITY}")
    match event["type"]:
        case "identify":
            return [*_user(user_id, traits(event)), *_identified(event, user_id, as_text(event.get("anonymousId")))]
        case "alias":
            return _identified(event, user_id, as_text(event.get("previousId")))
        case "group":
            return _account(event, user_id, settings.account_property)
        case _:
            return _tracked(event, user_id)


def _tracked(event: Event, user_id: str | None) -> Sequence[Message]:
    who = {"identity": user_id} if user_id else _anonymous(event, as_text(event.get("anonymousId")))
    said = _event_name(event)
    if not who or not said:
        return []
    properties, repairs = _properties(event.get("properties"))
    body = {
        **who,
        "event": said[:MAX_NAME],
        "timestamp": event["timestamp"],
        "idempotency_key": event["messageId"],
        "properties": properties,
    }
    return [Message(body, "track", repairs if len(said) <= MAX_NAME else (*repairs, "name_cut"))]


def _event_name(event: Event) -> str:
    kind = _VIEWED.get(event["type"])
    return name(event) if kind is None else " ".join(filter(None, ("Viewed", name(event), kind)))


def _user(user_id: str | None, said: Mapping[str, Any]) -> Sequence[Message]:
    properties, repairs = _properties(said)
    if not user_id or not properties:
        return []
    kept = {key: value for key, value in properties.items() if key.lower() != "id"}
    repairs = repairs if kept == properties else (*repairs, "id_left_out")
    return [Message({"identity": user_id, "properties": kept}, "add_user_properties", repairs)] if kept else []


def _identified(event: Event, user_id: str | None, anonymous_id: str | None) -> Sequence[Message]:
    who = _anonymous(event, anonymous_id)
    return [Message({"identity": user_id, **who, "timestamp": event["timestamp"]}, IDENTIFY)] if user_id and who else []


def _account(event: Event, user_id: str | None, account_property: str) -> Sequence[Message]:
    account_id = text(event, "groupId")
    if account_id is None:
        return []
    properties, repairs = _properties(event.get("traits"))
    account = Message({"account_id": account_id, "properties": properties}, "add_account_properties", repairs)
    belongs = _user(user_id, {account_property: account_id}) if account_property else []
    return [*([account] if properties else []), *belongs]


def _anonymous(event: Event, anonymous_id: str | None) -> dict[str, str]:
    """Heap's number for a visitor: what the sender says it is, else one that is made of the anonymous id."""
    said = as_text(options(event, TITLE).get("userId")) or ""
    if said.isascii() and said.isdigit() and len(said) <= len(str(MAX_USER_ID)) and int(said) <= MAX_USER_ID:
        return {"user_id": said}
    return {"user_id": str(user_number(anonymous_id))} if anonymous_id else {}


def user_number(anonymous_id: str) -> int:
    """A number below 2^53, always the same."""
    digest = hashlib.md5(anonymous_id.encode(errors="replace"), usedforsecurity=False).digest()
    low, high = int.from_bytes(digest[0:4], "little"), int.from_bytes(digest[8:12], "little")
    return low + (high % 2**21) * 2**32


def _properties(said: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Texts and numbers on one level, and what had to be cut for it."""
    whole = dict(_flat("", said, MAX_LEVELS)) if isinstance(said, Mapping) else {}
    cut = {key[:MAX_PROPERTY]: _cut(value) for key, value in whole.items() if key}
    return cut, () if cut == whole else ("property_cut",)


def _cut(value: Any) -> Any:
    return value[:MAX_PROPERTY] if isinstance(value, str) else value


def _flat(key: str, value: Any, levels: int) -> Iterator[tuple[str, Any]]:
    """`products.0.name`; lists of plain values are joined by `||`, as Heap does it."""
    if isinstance(value, list) and not any(isinstance(each, list | Mapping) for each in value):
        value = "||".join(_plain(each) for each in value if each is not None)
    members = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    if members and levels:
        for inner, held in members:
            yield from _flat(f"{key}.{inner}" if key else str(inner), held, levels - 1)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, value
    elif value not in (None, "", {}, []):
        yield key, _plain(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def request(payloads: Sequence[Payload], settings: HeapSettings, _sending: Sending) -> Request:
    """A list of things for one endpoint, or one identification."""
    endpoint, app_id = payloads[0].key, b'{"app_id":' + orjson.dumps(settings.app_id)
    if endpoint == IDENTIFY:
        body = app_id + b"," + payloads[0].body.removeprefix(b"{")
    else:
        bodies = b",".join(payload.body for payload in payloads)
        body = app_id + b"," + orjson.dumps(LISTS[endpoint]) + b":[" + bodies + b"]}"
    return Request(f"{settings.base_url}/api/{endpoint}", body, {"content-type": "application/json"})


HEAP = Destination(
    settings=HeapSettings,
    title=TITLE,
    map=map_event,
    request=request,
    category="analytics",
    max_batch_events=lambda _settings, key: 1 if key == IDENTIFY else MAX_BATCH_EVENTS,
    unasked="its API has no request that tries an app_id without storing an event",
)
