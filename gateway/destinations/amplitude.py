"""Amplitude: everything to /2/httpapi, identify and group as the events $identify and $groupidentify.

Source: Amplitude's "HTTP V2 API" (limits, keys, answers, deduplication), "Batch and retry HTTP V2 API requests" (what
to send again), "Identify API", "Group Identify API", "User Mapping (Aliasing) API". That $identify and $groupidentify
may be among the events is said under `event_type`, and done by Amplitude's own libraries.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlencode

import orjson
from pydantic import Field, SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.amplitude_events import (
    REFUSED_IDS,
    bought,
    earned,
    ids,
    moment,
    page_view,
    screen_view,
    surroundings,
    user_properties,
)
from gateway.destinations.analytics import known_id, purchase
from gateway.destinations.classify import answer, classify_by_status
from gateway.destinations.commerce import cost, currency, products, spec_name, value
from gateway.destinations.contract import Conversation, Destination, Message, Payload, Sending
from gateway.destinations.fields import name, present, properties, table, traits
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

TITLE = "Amplitude"
EVENTS, MAPPINGS = "events", "mappings"
MAX_BATCH_EVENTS = 2000
MAX_BATCH_BYTES = 990_000
"""Of a megabyte; the rest is for what stands around the events."""
THROTTLED_S = 30
"""How long Amplitude asks to leave a user or device alone that sends more than 30 events a second."""
BAD_REQUEST, TOO_MANY_REQUESTS = 400, 429

_HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
_FAULTS = ("events_with_invalid_fields", "events_with_missing_fields", "events_with_invalid_id_lengths")
_INVALID_KEY = "Invalid API key"


class AmplitudeSettings(DestinationSettings):
    """Which project, and how orders are told."""

    type: Literal["amplitude"] = "amplitude"
    api_key: SecretStr
    """The project's API key."""
    region: Literal["us", "eu"] = "us"
    """Where the project's data is kept: `us` or `eu`."""
    base_url: BaseUrl | None = None
    """An address in place of the region's."""
    min_id_length: int = Field(default=1, ge=1, le=100)
    """The shortest user or device id that Amplitude is to take, from 1 to 100. Shorter ones are left out."""
    page_event: str = "[Amplitude] Page Viewed"
    """What a page view is called. This one is Amplitude's own."""
    screen_event: str = "[Amplitude] Screen Viewed"
    """What the view of a screen is called. This one is Amplitude's own."""
    revenue_events: tuple[str, ...] = ("Order Completed",)
    """The tracks that earn what their `revenue` says (else `total`, else `value`). `Order Refunded` takes it back."""
    revenue_per_product: bool = False
    """Tell the revenue of such a track by product, each in an event `Product Purchased`, instead of in one sum."""
    group_type: str = ""
    """What `groupId` names, like `company`: needs the Accounts add-on. Without it Amplitude is not told of groups."""
    user_mapping: BaseUrl | None = None
    """Where aliases are told: `https://api.amplitude.com`, with the Portfolio add-on. Without it they are not told."""
    batch: BatchSettings = BatchSettings(max_events=1000, max_bytes=MAX_BATCH_BYTES)
    """Larger than elsewhere. Amplitude's own limits still hold; with its Starter plan set `max_events` to 10."""

    @property
    def host(self) -> str:
        """What the path is appended to."""
        return self.base_url or _HOSTS[self.region]


def map_event(event: Event, settings: AmplitudeSettings) -> Sequence[Message]:
    """Nothing of nobody: an event needs a user or a device."""
    match event["type"]:
        case "identify":
            described = present(user_properties=user_properties(event, traits(event)))
            return _told("$identify", described, event, settings)
        case "group":
            return _group(event, settings)
        case "alias":
            return _alias(event, settings)
        case "page":
            return _told(settings.page_event, _with_campaign(page_view(event), event), event, settings)
        case "screen":
            return _told(settings.screen_event, _with_campaign(screen_view(event), event), event, settings)
        case _:
            return _track(event, settings)


def request(payloads: Sequence[Payload], settings: AmplitudeSettings, _sending: Sending) -> Request:
    """Events as JSON; mappings of users as a form, to their own address."""
    bodies = b",".join(payload.body for payload in payloads)
    key = settings.api_key.get_secret_value()
    if payloads[0].key == MAPPINGS:
        form = urlencode({"api_key": key, "mapping": b"[" + bodies + b"]"}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Request(f"{settings.user_mapping}/usermap", form, headers)
    around = orjson.dumps({"api_key": key, "options": {"min_id_length": settings.min_id_length}})
    body = around[:-1] + b',"events":[' + bodies + b"]}"
    return Request(f"{settings.host}/2/httpapi", body, {"content-type": "application/json"})


def converse(payloads: Sequence[Payload], settings: AmplitudeSettings, sending: Sending) -> Conversation:
    """Amplitude takes nothing of a request in which it finds fault, but names the events: the others go once more."""
    response = yield request(payloads, settings, sending)
    named = faults(response, payloads)
    if not named:
        return classify(response)
    others: Delivered | Retry = Delivered()
    rest = [payload for place, payload in enumerate(payloads) if place not in named]
    if rest:
        outcome = classify((yield request(rest, settings, sending)))
        others = outcome if isinstance(outcome, Delivered | Retry) else Retry(_reason(outcome))
    return Partial([named.get(place, others) for place in range(len(payloads))])


def classify(response: Response) -> Outcome:
    """The default table, but a wrong key is a 400. Its reason leaves out the key, which Amplitude repeats."""
    if response.status == BAD_REQUEST and str(answer(response).get("error")).startswith(_INVALID_KEY):
        return Halt(f"HTTP 400: {_INVALID_KEY}")
    return classify_by_status(response)


def faults(response: Response, payloads: Sequence[Payload]) -> dict[int, Reject | Retry]:
    """The events that the answer names, by their place: refused, silenced, over their day's quota, or throttled."""
    if response.status not in (BAD_REQUEST, TOO_MANY_REQUESTS):
        return {}
    said = answer(response)
    named: dict[int, Reject | Retry] = {}
    for place in _places(said.get("throttled_events"), payloads):
        over = _is_over_quota(payloads[place], said)
        named[place] = Reject("exceeded daily quota") if over else Retry("throttled", THROTTLED_S)
    for fault in _FAULTS:
        fields = said.get(fault)
        for field, places in fields.items() if isinstance(fields, Mapping) else ():
            named |= dict.fromkeys(_places(places, payloads), Reject(f"{fault}: {field}"[:300]))
    return named | dict.fromkeys(_places(said.get("silenced_events"), payloads), Reject("silenced"))


def _places(said: Any, payloads: Sequence[Payload]) -> list[int]:
    count = len(payloads)
    return [each for each in said if isinstance(each, int) and 0 <= each < count] if isinstance(said, list) else []


def _is_over_quota(payload: Payload, said: Mapping[str, Any]) -> bool:
    users, devices = said.get("exceeded_daily_quota_users"), said.get("exceeded_daily_quota_devices")
    if not users and not devices:
        return False
    event = orjson.loads(payload.body)
    return _holds(users, event.get("user_id")) or _holds(devices, event.get("device_id"))


def _holds(said: Any, known: Any) -> bool:
    return isinstance(said, Mapping) and known in said


def _reason(outcome: Outcome) -> str:
    return outcome.reason if isinstance(outcome, Reject | Halt) else "not understood"


def _track(event: Event, settings: AmplitudeSettings) -> Sequence[Message]:
    said, listed = name(event), products(event)
    if not said:
        return []
    told = _with_campaign(properties(event), event)
    is_split = settings.revenue_per_product and spec_name(event) in settings.revenue_events
    if not is_split or cost(listed) is None:
        return _told(said, {**told, **_revenue(event, settings)}, event, settings)
    messages = [*_told(said, told, event, settings)]
    for place, each in enumerate(listed, 1):
        bill = {"event_properties": purchase(event, each), **bought(each, "Purchase", currency(event, ""))}
        messages += _told("Product Purchased", bill, event, settings, f"-{place}")
    return messages


def _revenue(event: Event, settings: AmplitudeSettings) -> dict[str, Any]:
    """What the event earns in one sum, or takes back."""
    known, amount = spec_name(event), value(event, "revenue", "total", "value")
    if amount is None:
        return {}
    if known == "Order Refunded":
        return earned(-abs(amount), "Refund", currency(event, ""), products(event))
    return earned(amount, "Purchase", currency(event, ""), products(event)) if known in settings.revenue_events else {}


def _group(event: Event, settings: AmplitudeSettings) -> Sequence[Message]:
    """The user joins the group; then the group is described."""
    groups = _groups(event, "groupId", settings)
    if not groups:
        return []
    joins = {"groups": groups, "user_properties": {"$set": groups}}
    messages = [*_told("$identify", joins, event, settings)]
    said = table(event, "traits")
    if said:
        described = {"groups": groups, "group_properties": {"$set": dict(said)}}
        messages += _told("$groupidentify", described, event, settings, "-group")
    return messages


def _alias(event: Event, settings: AmplitudeSettings) -> Sequence[Message]:
    user_id, previous_id = known_id(event, "userId", REFUSED_IDS), known_id(event, "previousId", REFUSED_IDS)
    if settings.user_mapping is None or not user_id or not previous_id or user_id == previous_id:
        return []
    return [Message({"user_id": previous_id, "global_user_id": user_id}, MAPPINGS)]


def _told(
    event_type: str, said: Mapping[str, Any], event: Event, settings: AmplitudeSettings, part: str = ""
) -> Sequence[Message]:
    known, repairs = ids(event, settings.min_id_length)
    if not known:
        return []
    groups = present(groups=_groups(event, "context.groupId", settings))
    body = {"event_type": event_type, **known, **moment(event, TITLE, part), **surroundings(event), **groups, **said}
    return [Message(body, EVENTS, repairs)]


def _with_campaign(said: Mapping[str, Any], event: Event) -> dict[str, Any]:
    return present(event_properties=dict(said), user_properties=user_properties(event, {}))


def _groups(event: Event, path: str, settings: AmplitudeSettings) -> dict[str, str]:
    group_id = known_id(event, path)
    return {settings.group_type: group_id} if settings.group_type and group_id else {}


AMPLITUDE = Destination(
    settings=AmplitudeSettings,
    title=TITLE,
    category="analytics",
    map=map_event,
    request=request,
    converse=converse,
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    unasked="its API has no request that tries a key without storing an event",
)
