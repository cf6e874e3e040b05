"""Customer.io: people, what they do, the objects that they belong to and their devices, by the Track API, version 2.

Sources: Customer.io's Track API reference, "Send multiple requests" (operations, sizes, 207) and "Find your account
region"; "Invalid Track API Requests"; "Merging anonymous activity"; and Customer.io's integration in Segment's
action-destinations, for what the reference leaves out: an event of a stranger is identified by `anonymous_id`.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic import SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.classify import answer, classify_by_status, excerpt
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.customerio_people import attributes, known, person, ulid
from gateway.destinations.fields import name, present, properties, referrer, seconds, table, text, traits, url, without
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Outcome, Partial, Reject

BEGIN, END = b'{"batch":[', b"]}"
MAX_BATCH_EVENTS = 1000
MAX_BATCH_BYTES = 500_000 - len(BEGIN) - len(END) - 1
MAX_NAME_BYTES = 100
MULTI_STATUS = 207

_ADDRESSING = frozenset({"recipient", "from_address", "reply_to"})
_OF_THE_RELATIONSHIP = frozenset({"objectTypeId", "object_type_id", "relationshipAttributes"})
_DEVICE_ACTIONS = {
    "Application Installed": "add_device",
    "Application Opened": "add_device",
    "Application Uninstalled": "delete_device",
}
_PLATFORMS = {"ios": "ios", "ipados": "ios", "tvos": "ios", "watchos": "ios", "android": "android"}


class CustomerioSettings(DestinationSettings):
    """Which workspace, and what may be told there."""

    type: Literal["customerio"] = "customerio"
    site_id: str
    """The workspace's Site ID."""
    api_key: SecretStr
    """The Track API key that belongs to it."""
    base_url: BaseUrl = "https://track.customer.io"
    """Where the Track API is; of accounts in the European Union `https://track-eu.customer.io`."""
    object_type_id: str = "1"
    """The type of object that groups are. An event can name another as the trait `objectTypeId`."""
    addressing: bool = False
    """Let events say where the messages that they trigger go, by the properties `recipient`, `from_address` and
    `reply_to`. Anybody can send events from a browser, so these are left out unless you say so."""
    batch: BatchSettings = BatchSettings(max_events=500)
    """Customer.io takes up to 500 kB a request."""


def map_event(event: Event, settings: CustomerioSettings) -> Sequence[Message]:
    """Its operations; none where nobody is named, or an event has no name."""
    return _CALLS[event["type"]](event, settings)


def _identify(event: Event, _settings: CustomerioSettings) -> Sequence[Message]:
    who = known(event)
    if not who:
        return []
    kept, repairs = attributes(traits(event))
    kept |= present(anonymous_id=text(event, "anonymousId"))
    return [Message(_operation("identify", who, timestamp=seconds(event), attributes=kept), repairs=repairs)]


def _track(event: Event, settings: CustomerioSettings) -> Sequence[Message]:
    return [*_happened("event", name(event), properties(event), event, settings), *_device(event)]


def _page(event: Event, settings: CustomerioSettings) -> Sequence[Message]:
    """Its name is the address without the query, which tells of the campaign that led there and not of the page."""
    address = text(event, "properties.url") or url(event)
    page_name = re.split(r"[?#]", address, maxsplit=1)[0] if address else name(event)
    page = present(
        url=address,
        path=text(event, "context.page.path"),
        title=text(event, "context.page.title"),
        search=text(event, "context.page.search"),
        referrer=referrer(event),
    )
    return _happened("page", page_name, {**page, **properties(event)}, event, settings)


def _screen(event: Event, settings: CustomerioSettings) -> Sequence[Message]:
    return _happened("screen", name(event), properties(event), event, settings)


def _group(event: Event, settings: CustomerioSettings) -> Sequence[Message]:
    """The group is an object, related to the user; or to the stranger, whose relation becomes the user's later."""
    group_id, said = text(event, "groupId"), table(event, "traits")
    if group_id is None:
        return []
    user, stranger = known(event), present(anonymous_id=text(event, "anonymousId"))
    related = present(identifiers=user or stranger, relationship_attributes=table(said, "relationshipAttributes"))
    kept, repairs = attributes({key: value for key, value in said.items() if key not in _OF_THE_RELATIONSHIP})
    object_type = text(said, "objectTypeId", "object_type_id") or settings.object_type_id
    body = {
        "type": "object",
        "identifiers": {"object_type_id": object_type, "object_id": group_id},
        "action": "identify_anonymous" if stranger and not user else "identify",
        "attributes": kept,
        **({"cio_relationships": [related]} if user or stranger else {}),
    }
    return [Message(body, repairs=repairs)]


def _alias(event: Event, _settings: CustomerioSettings) -> Sequence[Message]:
    """A stranger is nobody who could be merged: what they did becomes the user's by their `anonymous_id`."""
    user_id, previous_id = text(event, "userId"), text(event, "previousId")
    if not user_id or not previous_id or user_id == previous_id:
        return []
    if previous_id == text(event, "anonymousId"):
        visitor = {"anonymous_id": previous_id}
        return [Message(_operation("identify", person(user_id), timestamp=seconds(event), attributes=visitor))]
    merge = {"type": "person", "action": "merge", "primary": person(user_id), "secondary": person(previous_id)}
    return [Message(merge)]


_CALLS: Mapping[str, Callable[[Event, CustomerioSettings], Sequence[Message]]] = {
    "identify": _identify,
    "track": _track,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}


def _happened(
    action: str, said_name: str, said: Mapping[str, Any], event: Event, settings: CustomerioSettings
) -> Sequence[Message]:
    who = known(event) or present(anonymous_id=text(event, "anonymousId"))
    if not who or not said_name:
        return []
    short_name = said_name.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore")
    body = _operation(
        action,
        who,
        id=ulid(event["messageId"]),
        name=short_name,
        timestamp=seconds(event),
        attributes=dict(said) if settings.addressing else without(said, _ADDRESSING),
    )
    return [Message(body, repairs=() if short_name == said_name else ("name_cut",))]


def _device(event: Event) -> Sequence[Message]:
    """A user's device, where the application's start or end says which."""
    action, who, token = _DEVICE_ACTIONS.get(name(event)), known(event), text(event, "context.device.token")
    platform = _PLATFORMS.get((text(event, "context.device.type", "context.os.name") or "").lower())
    if not action or not who or not token:
        return []
    if action == "delete_device":
        return [Message(_operation(action, who, device={"token": token}))]
    if platform is None:
        return []
    described = present(
        device_os=" ".join(filter(None, (text(event, "context.os.name"), text(event, "context.os.version")))),
        device_model=text(event, "context.device.model"),
        app_version=text(event, "context.app.version"),
        device_locale=text(event, "context.locale"),
    )
    device = {"token": token, "platform": platform, "last_used": seconds(event), "attributes": described}
    return [Message(_operation(action, who, device=device))]


def _operation(action: str, who: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    return {"type": "person", "identifiers": who, "action": action, **fields}


def request(payloads: Sequence[Payload], settings: CustomerioSettings, _sending: Sending) -> Request:
    """All operations at once, of whatever kind."""
    body = BEGIN + b",".join(payload.body for payload in payloads) + END
    headers = {"content-type": "application/json", "authorization": _authorization(settings)}
    return Request(f"{settings.base_url}/api/v2/batch", body, headers)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """The default table; an answer with success can hold errors, each with the place of the operation it speaks of.

    Where it cannot be read whom they mean, the whole is refused: sent again by halves, it shows.
    """
    outcome = classify_by_status(response)
    if not isinstance(outcome, Delivered):
        return outcome
    errors = answer(response).get("errors")
    listed = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    refused = {_place(error): _words(error) for error in listed}
    if (response.status == MULTI_STATUS and not refused) or not refused.keys() <= set(range(len(payloads))):
        return Reject(f"HTTP {response.status}: {excerpt(response)}")
    verdicts = [Reject(refused[place]) if place in refused else Delivered() for place in range(len(payloads))]
    return Partial(verdicts) if refused else outcome


def _place(error: Mapping[str, Any]) -> int:
    place = error.get("batch_index")
    return place if isinstance(place, int) else -1


def _words(error: Mapping[str, Any]) -> str:
    return " ".join(str(error[key])[:200] for key in ("reason", "field", "message") if error.get(key))


def probe(settings: CustomerioSettings) -> Request:
    """Asks in which region the account is."""
    headers = {"authorization": _authorization(settings)}
    return Request(f"{settings.base_url}/api/v1/accounts/region", b"", headers, method="GET")


def _authorization(settings: CustomerioSettings) -> str:
    credentials = f"{settings.site_id}:{settings.api_key.get_secret_value()}"
    return "Basic " + base64.b64encode(credentials.encode()).decode()


CUSTOMERIO = Destination(
    settings=CustomerioSettings,
    title="Customer.io",
    map=map_event,
    request=request,
    classify=classify,
    category="marketing",
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    probe=probe,
)
