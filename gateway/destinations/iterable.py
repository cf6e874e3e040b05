"""Iterable: users, what they do, what is in their cart and what they buy.

Sources: Iterable's API reference (users/bulkUpdate, users/merge, users/updateEmail, events/trackBulk,
commerce/trackPurchase, commerce/updateCart: fields, ids, sizes, failures within a success), "Project Types and Unique
Identifiers" and "Creating and Identifying Users with Iterable APIs".
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations import fields, people
from gateway.destinations.classify import answer, classify_by_status, excerpt
from gateway.destinations.commerce import Product, pieces, products, spec_name, value
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import number, present, properties, seconds, table, text, traits, without
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Outcome, Partial, Reject, Retry

UPDATE_USERS, TRACK = "users/bulkUpdate", "events/trackBulk"
TRACK_PURCHASE, UPDATE_CART = "commerce/trackPurchase", "commerce/updateCart"
MERGE, UPDATE_EMAIL = "users/merge", "users/updateEmail"
ARRAYS = {UPDATE_USERS: b"users", TRACK: b"events"}
"""The endpoints that take many at once, and what they call them."""
MAX_BATCH_EVENTS = 1000
MAX_BATCH_BYTES = 4_000_000 - 100
MAX_ID_BYTES = 512
MAX_CAMPAIGN_ID = 2**31

_CART_EVENTS = frozenset({"Product Added", "Product Removed", "Cart Viewed", "Cart Updated", "Checkout Started"})
_PHONES = ("phone", "phoneNumber", "phone_number")
_OF_THE_ITEM = frozenset(
    {"product_id", "productId", "id", "sku", "name", "product_name", "title", "price", "quantity", "category"}
    | {"url", "product_url", "image_url", "imageUrl", "description"}
)
_NAMING = ("Emails", "UserIds", "EventNames")
"""How the lists of an answer end that name what was not taken: `forgottenEmails`, `disallowedEventNames`."""


class IterableSettings(DestinationSettings):
    """Which project, and how it knows its users."""

    type: Literal["iterable"] = "iterable"
    api_key: SecretStr
    """An API key of the type Server-side."""
    base_url: BaseUrl = "https://api.iterable.com"
    """Where the API is; of projects in the European data centre `https://api.eu.iterable.com`."""
    identify_by: Literal["user_id", "email"] = "user_id"
    """What users are known by: `user_id` in projects that are userID-based or hybrid, `email` in those that are
    email-based. Where an event does not say it, the other is used."""
    pages: bool = False
    """Tell of page views and screens too, as the events `Loaded a Page` and `Loaded a Screen`."""
    batch: BatchSettings = BatchSettings(max_events=500, max_bytes=2_000_000)
    """Iterable takes 4 MB a request, and few requests a second."""


def map_event(event: Event, settings: IterableSettings) -> Sequence[Message]:
    """What its endpoints are told; nothing of strangers, who have no profile."""
    return _CALLS[event["type"]](event, settings)


def _identify(event: Event, settings: IterableSettings) -> Sequence[Message]:
    user = _user(event, settings)
    if not user:
        return []
    if "email" in user:  # of two names Iterable looks for the address, and keeps the id with it
        user |= present(userId=text(event, "userId"))
    person = people.person_of(event)
    phone = present(phoneNumber=people.phone_e164(person.phone, person.country))
    known = without(traits(event), _PHONES if phone else ())
    return [Message({**user, "dataFields": known | phone}, UPDATE_USERS)]


def _track(event: Event, settings: IterableSettings) -> Sequence[Message]:
    """A completed order is a purchase; what tells the whole cart is an event, and updates the cart too."""
    user, happened = _user(event, settings), _happened(event, fields.name(event), properties(event), settings)
    total, name = value(event), spec_name(event)
    if not happened:
        return []
    items, repairs = _items(event)
    if name == "Order Completed" and total is not None:
        return [Message(_purchase(event, user, items, total), TRACK_PURCHASE, repairs)]
    if name in _CART_EVENTS and isinstance(properties(event).get("products"), list):
        return [*happened, Message({"user": user, "items": items}, UPDATE_CART, repairs)]
    return happened


def _page(event: Event, settings: IterableSettings) -> Sequence[Message]:
    if not settings.pages:
        return []
    seen = present(name=fields.name(event), url=fields.url(event), referrer=fields.referrer(event))
    name = "Loaded a Page" if event["type"] == "page" else "Loaded a Screen"
    return _happened(event, name, {**seen, **properties(event)}, settings)


def _alias(event: Event, settings: IterableSettings) -> Sequence[Message]:
    """Two users are merged; of a stranger Iterable knows nothing that could be."""
    user_id, previous_id = text(event, "userId"), text(event, "previousId")
    if not user_id or not previous_id or previous_id in (user_id, text(event, "anonymousId")):
        return []
    destination, source = _kind(user_id, settings), _kind(previous_id, settings)
    if destination == source == "Email":
        return [Message({"currentEmail": previous_id, "newEmail": user_id}, UPDATE_EMAIL)]
    return [Message({f"source{source}": previous_id, f"destination{destination}": user_id}, MERGE)]


_CALLS: Mapping[str, Callable[[Event, IterableSettings], Sequence[Message]]] = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _page,
    "group": lambda _event, _settings: [],
    "alias": _alias,
}


def _happened(event: Event, name: str, said: Mapping[str, Any], settings: IterableSettings) -> Sequence[Message]:
    user = without(_user(event, settings), ("preferUserId",))
    if not user or not name:
        return []
    body = {
        **user,
        "eventName": name,
        "id": _id(event["messageId"]),
        "createdAt": seconds(event),
        "dataFields": without(said, ()),
        **_campaign(event),
    }
    return [Message(body, TRACK)]


def _purchase(event: Event, user: Mapping[str, Any], items: Sequence[Any], total: float) -> dict[str, Any]:
    """The order's id makes a purchase that is told twice one purchase, also where the events are two."""
    return {
        "id": _id(text(event, "properties.order_id", "properties.orderId") or event["messageId"]),
        "user": user,
        "items": items,
        "total": total,
        "createdAt": seconds(event),
        "dataFields": without(properties(event), ("products",)),
        **_campaign(event),
    }


def _items(event: Event) -> tuple[list[dict[str, Any]], Sequence[str]]:
    listed = products(event)
    found = [_item(each) for each in listed if each.id and each.price is not None]
    return found, () if len(found) == len(listed) else ("product_left_out",)


def _item(each: Product) -> dict[str, Any]:
    return present(
        id=each.id,
        sku=text(each.raw, "sku"),
        name=each.name or each.id,
        price=each.price,
        quantity=pieces(each),
        categories=[each.category] if each.category else None,
        description=text(each.raw, "description"),
        url=each.url,
        imageUrl=each.image_url,
        dataFields=without(each.raw, _OF_THE_ITEM),
    )


def _campaign(event: Event) -> dict[str, int]:
    """The message that led there, where the event says it."""
    said = {key: number(event, f"properties.{key}") for key in ("campaignId", "templateId")}
    return {key: int(found) for key, found in said.items() if found is not None and 0 < found < MAX_CAMPAIGN_ID}


def _user(event: Event, settings: IterableSettings) -> dict[str, Any]:
    """By one name alone; a user who is known by an id may be a new one. Empty for a stranger."""
    user_id, address = text(event, "userId"), people.person_of(event).email
    by_id = {"userId": user_id, "preferUserId": True} if user_id else {}
    by_email = {"email": address} if address and "@" in address and people.email(address) else {}
    return by_id or by_email if settings.identify_by == "user_id" else by_email or by_id


def _kind(identifier: str, settings: IterableSettings) -> str:
    return "Email" if settings.identify_by == "email" and "@" in identifier else "UserId"


def _id(said: str) -> str:
    """Itself where it is short enough; else its hash."""
    raw = said.encode(errors="replace")
    return said if len(raw) <= MAX_ID_BYTES else hashlib.sha256(raw).hexdigest()


def request(payloads: Sequence[Payload], settings: IterableSettings, _sending: Sending) -> Request:
    """An array for the endpoints that take one, else the one message."""
    endpoint = payloads[0].key
    body = b",".join(payload.body for payload in payloads)
    if endpoint in ARRAYS:
        body = b'{"%b":[%b]}' % (ARRAYS[endpoint], body)
    headers = {"content-type": "application/json", "api-key": settings.api_key.get_secret_value()}
    return Request(f"{settings.base_url}/api/{endpoint}", body, headers)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """The default table, the wait being in the body; an answer with success can name users who were not taken.

    It says how many failed. Where those that it names are not as many, the whole is refused: what is sent again by
    halves has the same ids, and shows it.
    """
    outcome, said = classify_by_status(response), answer(response)
    if isinstance(outcome, Retry):
        wait_s = number(said, "params.rateLimitReset")
        return outcome if outcome.after_s is not None else Retry(outcome.reason, wait_s)
    if not isinstance(outcome, Delivered):
        return outcome
    failures = _failures(said)
    refused = {n: words for n, payload in enumerate(payloads) if failures and (words := _words(payload, failures))}
    if said.get("code", "Success") != "Success" or said.get("failCount", len(refused)) != len(refused):
        return Reject(excerpt(response))
    verdicts = [Reject(refused[n]) if n in refused else Delivered() for n in range(len(payloads))]
    return Partial(verdicts) if refused else outcome


def _failures(said: Mapping[str, Any]) -> dict[str, str]:
    """The users and events that were not taken, with the name of the list that they are in."""
    found: dict[str, str] = {}
    for name, listed in {**said, **table(said, "failedUpdates")}.items():
        if name.endswith(_NAMING) and isinstance(listed, list):
            found |= {str(each).casefold(): name for each in listed}
    return found


def _words(payload: Payload, failures: Mapping[str, str]) -> str:
    told = orjson.loads(payload.body)
    names = (text(told, key) or "" for key in ("userId", "email", "dataFields.email", "eventName"))
    return next((failures[name] for each in names if (name := each.casefold()) in failures), "")


def probe(settings: IterableSettings) -> Request:
    """Asks for the names of the fields that users have."""
    headers = {"api-key": settings.api_key.get_secret_value()}
    return Request(f"{settings.base_url}/api/users/getFields", b"", headers, method="GET")


ITERABLE = Destination(
    settings=IterableSettings,
    title="Iterable",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=lambda _settings, key: MAX_BATCH_EVENTS if key in ARRAYS else 1,
    max_batch_bytes=MAX_BATCH_BYTES,
    probe=probe,
)
