"""Braze: users, what they do and what they buy, by /users/track, /users/identify and /users/merge.

Sources: Braze's documentation, "Track users" (three arrays, errors that do not stop the rest), "Rate limits" (75
objects in all, X-RateLimit-Reset), "API errors and responses", "User attributes object", "Event object", "Identify
users", "Merge users".

A message is a member of one of the arrays: `{"events": {...}}`. Its key is the endpoint, so that attributes, events and
purchases share a request.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.texts import Currency
from gateway.config.units import BaseUrl
from gateway.destinations import fields, people
from gateway.destinations.braze_commerce import is_recommended, purchases, recommended
from gateway.destinations.braze_values import attributes, storable_name, storable_properties
from gateway.destinations.classify import answer, classify_by_status, excerpt
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import as_number, find, present, properties, text, without
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

TRACK, IDENTIFY, MERGE = "users/track", "users/identify", "users/merge"
MAX_OBJECTS = {TRACK: 75, IDENTIFY: 50, MERGE: 50}
MAX_BATCH_BYTES = 4_000_000
NOT_FOUND, TOO_MANY = 404, 429

_SUCCESS = ("success", "queued")
_PLATFORMS = frozenset({"ios", "android"})


class BrazeSettings(DestinationSettings):
    """Which workspace, and in which of Braze's words."""

    type: Literal["braze"] = "braze"
    api_key: SecretStr
    """A REST API key with the permissions `users.track`, `users.identify` and `users.merge`."""
    base_url: BaseUrl
    """The REST endpoint of your instance, like `https://rest.iad-01.braze.com` or `https://rest.fra-01.braze.eu`."""
    app_id: str = ""
    """The app that events and purchases are counted for (its identifier, from the settings of the workspace)."""
    alias_label: Annotated[str, Field(min_length=1)] = "anonymous_id"
    """The label of the user alias by which visitors are known until they are users."""
    commerce: Literal["recommended", "purchases"] = "recommended"
    """`recommended`: eCommerce events (`ecommerce.order_placed`, ...). `purchases`: an order becomes the older purchase
    objects, which new customers of Braze do not have."""
    source: Annotated[str, Field(min_length=1)] = "web"
    """What eCommerce events call their origin, where the device does not say that it is ios or android."""
    currency: Currency = "USD"
    """Of amounts whose event does not say it (ISO 4217)."""
    pages: bool = False
    """Tell of page views and screens too, as the events `Loaded a Page` and `Loaded a Screen`."""
    subscription_groups: bool = False
    """Take the id of a group for that of a subscription group, to which the user is subscribed."""
    batch: BatchSettings = BatchSettings(max_events=75)
    """Braze takes 75 objects a request, of some contracts 50."""


def map_event(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    """Objects for Braze's arrays; none where nobody is named."""
    return _CALLS[event["type"]](event, settings)


def _identify(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    """The visitor becomes the user before the user's attributes are told."""
    user, user_id, visitor = _user(event, settings), text(event, "userId"), text(event, "anonymousId")
    if not user:
        return []
    visitors = [_identified(user_id, visitor, settings)] if user_id and visitor else []
    said, repairs = attributes(event)
    return [*visitors, Message({"attributes": said | user}, TRACK, repairs)]


def _track(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    """An event of Braze's own, or purchases; whatever it has no shape for, as an event with the name that it has."""
    name, user = storable_name(fields.name(event)), _of_the_app(event, settings)
    if not name or not user:
        return []
    if settings.commerce == "purchases":
        bought, repairs = purchases(event, settings.currency)
        if bought:
            return [Message({"purchases": user | each}, TRACK, repairs) for each in bought]
        return [_happened(event, name, properties(event), settings)]
    said = recommended(event, _source(event, settings), settings.currency)
    if said is None:
        lacking = ("not_as_recommended",) if is_recommended(event) else ()
        return [_happened(event, name, properties(event), settings, lacking)]
    braze_name, braze_properties = said
    body = {"name": braze_name, "time": event["timestamp"], "properties": braze_properties}
    return [Message({"events": user | body}, TRACK)]


def _page(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    if not settings.pages or not _user(event, settings):
        return []
    seen = present(name=fields.name(event), url=fields.url(event), referrer=fields.referrer(event))
    what = "Loaded a Page" if event["type"] == "page" else "Loaded a Screen"
    return [_happened(event, what, {**seen, **properties(event)}, settings)]


def _group(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    user, group_id = _user(event, settings), text(event, "groupId")
    if not settings.subscription_groups or not user or not group_id:
        return []
    state = "unsubscribed" if find(event, "traits.subscription_state") == "unsubscribed" else "subscribed"
    group = {"subscription_group_id": group_id, "subscription_state": state}
    return [Message({"attributes": {**user, "subscription_groups": [group]}}, TRACK)]


def _alias(event: Event, settings: BrazeSettings) -> Sequence[Message]:
    """Two users are merged; a visitor becomes the user."""
    user_id, previous_id = text(event, "userId"), text(event, "previousId")
    if not user_id or not previous_id or user_id == previous_id:
        return []
    if previous_id == text(event, "anonymousId"):
        return [_identified(user_id, previous_id, settings)]
    merge = {"identifier_to_merge": {"external_id": previous_id}, "identifier_to_keep": {"external_id": user_id}}
    return [Message({"merge_updates": merge}, MERGE)]


_CALLS: Mapping[str, Callable[[Event, BrazeSettings], Sequence[Message]]] = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _page,
    "group": _group,
    "alias": _alias,
}


def _happened(
    event: Event, name: str, said: Mapping[str, Any], settings: BrazeSettings, repairs: Sequence[str] = ()
) -> Message:
    kept = storable_properties(said)
    body = {"name": name, "time": event["timestamp"], "properties": kept}
    changed = () if kept == without(said, ()) else ("property_changed",)
    return Message({"events": _of_the_app(event, settings) | body}, TRACK, (*repairs, *changed))


def _identified(user_id: str, visitor: str, settings: BrazeSettings) -> Message:
    """Gives a visitor's profile to the user."""
    alias = {"alias_name": visitor, "alias_label": settings.alias_label}
    return Message({"aliases_to_identify": {"external_id": user_id, "user_alias": alias}}, IDENTIFY)


def _user(event: Event, settings: BrazeSettings) -> dict[str, Any]:
    """The user, else the visitor, whose profile may be a new one, else whose address it is; empty where none is."""
    user_id, visitor = text(event, "userId"), text(event, "anonymousId")
    if user_id:
        return {"external_id": user_id}
    if visitor:
        alias = {"alias_name": visitor, "alias_label": settings.alias_label}
        return {"user_alias": alias, "_update_existing_only": False}
    return present(email=people.person_of(event).email)


def _of_the_app(event: Event, settings: BrazeSettings) -> dict[str, Any]:
    user = _user(event, settings)
    return user | present(app_id=settings.app_id) if user else {}


def _source(event: Event, settings: BrazeSettings) -> str:
    device = (text(event, "context.device.type") or "").lower()
    return device if device in _PLATFORMS else settings.source


def request(payloads: Sequence[Payload], settings: BrazeSettings, _sending: Sending) -> Request:
    """The members of each array together, in one object."""
    arrays: dict[bytes, list[bytes]] = {}
    for payload in payloads:
        array, member = _member(payload)
        arrays.setdefault(array, []).append(member)
    body = b"{" + b",".join(b'"%b":[%b]' % (array, b",".join(members)) for array, members in arrays.items()) + b"}"
    secret = settings.api_key.get_secret_value()
    headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
    return Request(f"{settings.base_url}/{payloads[0].key}", body, headers)


def _member(payload: Payload) -> tuple[bytes, bytes]:
    """The array that a message belongs to, and what it puts there: `{"events":{...}}` has one key."""
    array, _, member = payload.body[2:-1].partition(b'":')
    return array, member


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """The default table, but an unknown key is 404, and a throttled one is told the moment when it may go on.

    An answer with success can hold errors, each with its array and the place there. What they do not speak of was
    taken, so it is not sent again: Braze would count it twice.
    """
    outcome = classify_by_status(response)
    if response.status == NOT_FOUND:
        return Halt(f"HTTP {NOT_FOUND}: {excerpt(response)}")
    if isinstance(outcome, Retry) and outcome.after_s is None and response.status == TOO_MANY:
        return Retry(outcome.reason, _until_reset_s(response))
    return _read(response, payloads) if isinstance(outcome, Delivered) else outcome


def _read(response: Response, payloads: Sequence[Payload]) -> Outcome:
    said, places = answer(response), _places(payloads)
    if said.get("message", "success") not in _SUCCESS:
        return Reject(excerpt(response))
    errors = said.get("errors")
    refused = {places.get(_place(error)): _words(error) for error in (errors if isinstance(errors, list) else ())}
    if None in refused:
        unclear = Reject(f"it is not said which: {excerpt(response)}")
        return Partial([unclear] * len(payloads)) if payloads[0].key == TRACK else unclear
    verdicts = [Reject(refused[n]) if n in refused else Delivered() for n in range(len(payloads))]
    return Partial(verdicts) if refused else Delivered()


def _places(payloads: Sequence[Payload]) -> dict[tuple[str, int], int]:
    """Of each member its array and its place there, and which payload it is."""
    counts: Counter[str] = Counter()
    places = {}
    for n, payload in enumerate(payloads):
        array = _member(payload)[0].decode()
        places[array, counts[array]] = n
        counts[array] += 1
    return places


def _place(error: Any) -> tuple[str, int]:
    told = error if isinstance(error, Mapping) else {}
    array, index = told.get("input_array"), told.get("index")
    return (array, index) if isinstance(array, str) and isinstance(index, int) else ("", -1)


def _words(error: Any) -> str:
    return str(error.get("type") if isinstance(error, Mapping) else error)[:300]


def _until_reset_s(response: Response) -> float | None:
    """Seconds until the window ends, by the clock of the answer."""
    reset_s = as_number(response.headers.get("x-ratelimit-reset"))
    try:
        sent = parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError):
        return None
    return None if reset_s is None else max(0.0, reset_s - sent.timestamp())


BRAZE = Destination(
    settings=BrazeSettings,
    title="Braze",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=lambda _settings, key: MAX_OBJECTS.get(key, MAX_OBJECTS[TRACK]),
    max_batch_bytes=MAX_BATCH_BYTES,
    unasked="a key that may only write has no request that changes nothing",
)
