"""Mixpanel: events to /import, people to /engage, groups to /groups.

Source: Mixpanel's API reference, "Import Events" (limits, the answer for each event), "Event Deduplication", "User
Profiles" and "Group Profiles" (limits), "Create Identity", "Create Alias"; its guides "Identifying Users (Simplified)"
and "(Original)", and "Group Analytics: Implementation".
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self
from urllib.parse import urlencode

from pydantic import SecretStr, model_validator

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.analytics import known_id, purchase, viewed
from gateway.destinations.classify import answer, classify_by_status, excerpt
from gateway.destinations.commerce import products, spec_name
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import name, properties, table, text, traits, without
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.mixpanel_properties import (
    REFUSED_IDS,
    context,
    fitted,
    insert_id,
    is_ahead,
    is_mergeable,
    page_view,
    profile,
    time_of,
    user_of,
    visitor_of,
)
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Outcome, Partial, Reject

IMPORT, ENGAGE, GROUPS = "import", "engage", "groups"
MAX_BATCH_EVENTS = {IMPORT: 2000, ENGAGE: 2000, GROUPS: 200}
MAX_BATCH_BYTES = 10_000_000
BAD_REQUEST = 400

_HOSTS = {
    "us": "https://api.mixpanel.com",
    "eu": "https://api-eu.mixpanel.com",
    "in": "https://api-in.mixpanel.com",
}


class MixpanelSettings(DestinationSettings):
    """Which project, and how it knows that it is you."""

    type: Literal["mixpanel"] = "mixpanel"
    token: SecretStr
    """The project token."""
    region: Literal["us", "eu", "in"] = "us"
    """Where the project's data is kept: `us`, `eu` or `in` (India)."""
    base_url: BaseUrl | None = None
    """An address in place of the region's."""
    service_account: str = ""
    """The user name of a service account, to send events with. Without it the token is enough."""
    service_account_secret: SecretStr | None = None
    """Its secret."""
    project_id: str = ""
    """The project's number. A service account needs it."""
    id_merge: Literal["simplified", "original"] = "simplified"
    """How the project merges identities: `simplified`, as new ones do, or `original`."""
    group_key: str = ""
    """The project's group key for what `groupId` names, like `company_id`. Without it groups are not told."""
    page_event: str = "$mp_web_page_view"
    """What a page view is called. This one is Mixpanel's own, shown as "Page View"."""
    screen_event: str = "Loaded a Screen"
    """What the view of a screen is called."""
    product_purchased: bool = False
    """Tell of each product of an `Order Completed` in an event of its own, `Product Purchased`, as well."""
    batch: BatchSettings = BatchSettings(max_events=2000, max_bytes=2_000_000)
    """Larger than elsewhere, as Mixpanel recommends. Its own limits still hold."""

    @model_validator(mode="after")
    def _service_account_is_complete(self) -> Self:
        if self.service_account and not (self.service_account_secret and self.project_id):
            raise ValueError("a service account needs service_account_secret and project_id as well")
        return self

    @property
    def host(self) -> str:
        """What the paths are appended to."""
        return self.base_url or _HOSTS[self.region]

    @property
    def credentials(self) -> str:
        """Of HTTP Basic authentication: the token stands for a user without a password."""
        if self.service_account and self.service_account_secret:
            return f"{self.service_account}:{self.service_account_secret.get_secret_value()}"
        return f"{self.token.get_secret_value()}:"


def map_event(event: Event, settings: MixpanelSettings) -> Sequence[Message]:
    """Tracks, pages and screens are events; identify and group speak of profiles."""
    match event["type"]:
        case "identify":
            return _identify(event, settings)
        case "group":
            return _group(event, settings)
        case "alias":
            return _alias(event, settings)
        case "page":
            return [_told(settings.page_event, page_view(event), event, settings)]
        case "screen":
            return [_told(settings.screen_event, viewed(event), event, settings)]
        case _:
            return _track(event, settings)


def request(payloads: Sequence[Payload], settings: MixpanelSettings, _sending: Sending) -> Request:
    """An array to the endpoint that the key names. All three are asked to judge each member for itself."""
    endpoint = payloads[0].key
    query = {"strict": "1"}
    headers = {"content-type": "application/json", "accept": "application/json"}
    if endpoint == IMPORT:
        query |= {"project_id": settings.project_id} if settings.project_id else {}
        headers["authorization"] = "Basic " + base64.b64encode(settings.credentials.encode()).decode()
    else:
        query |= {"verbose": "1"}
    body = b"[" + b",".join(payload.body for payload in payloads) + b"]"
    return Request(f"{settings.host}/{endpoint}?{urlencode(query)}", body, headers)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """What is named among the failed records is refused, and all else was taken: a 400 is a success in part.

    /engage and /groups say `"status": 0` or plainly `0` where nothing was valid, and 200 all the same.
    """
    said, verdict = answer(response), classify_by_status(response)
    is_read = isinstance(verdict, Delivered) or response.status == BAD_REQUEST
    failed = _failed(said.get("failed_records"), len(payloads)) if is_read else {}
    if failed:
        return Partial([failed.get(place, Delivered()) for place in range(len(payloads))])
    if isinstance(verdict, Delivered) and (
        said.get("error") or said.get("status") == 0 or response.body.strip() == b"0"
    ):
        return Reject(excerpt(response))
    return verdict


def _failed(records: Any, count: int) -> dict[int, Reject]:
    """By place in the request."""
    named = [each for each in records if isinstance(each, Mapping)] if isinstance(records, list) else []
    return {
        each["index"]: Reject(f"{each.get('field', '')}: {each.get('message', '')}"[:300])
        for each in named
        if isinstance(each.get("index"), int) and 0 <= each["index"] < count
    }


def _track(event: Event, settings: MixpanelSettings) -> Sequence[Message]:
    said = name(event)
    if not said:
        return []
    told = [_told(said, properties(event), event, settings)]
    if settings.product_purchased and spec_name(event) == "Order Completed":
        for place, each in enumerate(products(event), 1):
            told.append(_told("Product Purchased", purchase(event, each), event, settings, part=f"-{place}"))
    return told


def _identify(event: Event, settings: MixpanelSettings) -> Sequence[Message]:
    """A profile for a known user; Mixpanel advises against profiles of anonymous ones."""
    user_id, visitor_id = user_of(event), visitor_of(event)
    if user_id is None:
        return []
    messages = []
    if settings.id_merge == "original" and visitor_id and is_mergeable(visitor_id):
        ids = {"distinct_id": user_id, "$identified_id": user_id, "$anon_id": visitor_id}
        messages.append(_merging("$identify", ids, event, settings))
    said, repairs = fitted(profile(traits(event)))
    if said:
        messages.append(_of_person({"$set": said}, user_id, event, settings, repairs))
    return messages


def _group(event: Event, settings: MixpanelSettings) -> Sequence[Message]:
    """The group's profile, and on the user's profile the membership, which joins the two in reports."""
    group_id, user_id = known_id(event, "groupId"), user_of(event)
    if not settings.group_key or group_id is None:
        return []
    messages = []
    said, repairs = fitted(profile(table(event, "traits")))
    if said:
        ids = {"$token": settings.token.get_secret_value(), "$group_key": settings.group_key, "$group_id": group_id}
        messages.append(Message({**ids, "$set": said}, GROUPS, repairs))
    if user_id:
        messages.append(_of_person({"$union": {settings.group_key: [group_id]}}, user_id, event, settings))
    return messages


def _alias(event: Event, settings: MixpanelSettings) -> Sequence[Message]:
    """Simplified ID Merge knows one user id for a person, and no aliases."""
    user_id, previous_id = user_of(event), known_id(event, "previousId", REFUSED_IDS)
    if settings.id_merge == "simplified" or not user_id or not previous_id or user_id == previous_id:
        return []
    return [_merging("$create_alias", {"distinct_id": previous_id, "alias": user_id}, event, settings)]


def _told(
    event_name: str, said: Mapping[str, Any], event: Event, settings: MixpanelSettings, part: str = ""
) -> Message:
    """An event. What it must hold comes first, so that nothing of that is cut off."""
    fixed = {
        **_ids(event, settings),
        "time": time_of(event),
        "$insert_id": insert_id(event, part),
        "ip": text(event, "context.ip") or 0,
    }
    loose = without({**context(event), **_groups(event, settings), **said}, frozenset(fixed))
    told, repairs = fitted({**fixed, **loose})
    ahead = ["time_in_the_future"] if is_ahead(event) else []
    return Message({"event": event_name, "properties": told}, IMPORT, [*repairs, *ahead])


def _merging(event_name: str, ids: Mapping[str, str], event: Event, settings: MixpanelSettings) -> Message:
    fixed = {"token": settings.token.get_secret_value(), "time": time_of(event), "$insert_id": insert_id(event)}
    return Message({"event": event_name, "properties": {**ids, **fixed}}, IMPORT)


def _of_person(
    operation: Mapping[str, Any], user_id: str, event: Event, settings: MixpanelSettings, repairs: Sequence[str] = ()
) -> Message:
    """The address "0" keeps Mixpanel from taking ours for the user's."""
    ip = text(event, "context.ip") or "0"
    ids = {"$token": settings.token.get_secret_value(), "$distinct_id": user_id, "$ip": ip}
    return Message({**ids, **operation}, ENGAGE, repairs)


def _ids(event: Event, settings: MixpanelSettings) -> dict[str, str]:
    """An event of nobody has an empty `distinct_id`."""
    user_id, visitor_id = user_of(event), visitor_of(event)
    ids = {"distinct_id": user_id or visitor_id or ""}
    if visitor_id and not user_id and settings.id_merge == "simplified":
        ids["distinct_id"] = f"$device:{visitor_id}"
    if user_id:
        ids["$user_id"] = user_id
    if visitor_id and visitor_id != user_id:
        ids["$device_id"] = visitor_id
    return ids


def _groups(event: Event, settings: MixpanelSettings) -> dict[str, list[str]]:
    group_id = known_id(event, "context.groupId")
    return {settings.group_key: [group_id]} if settings.group_key and group_id else {}


MIXPANEL = Destination(
    settings=MixpanelSettings,
    title="Mixpanel",
    category="analytics",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=lambda _settings, key: MAX_BATCH_EVENTS.get(key, min(MAX_BATCH_EVENTS.values())),
    max_batch_bytes=MAX_BATCH_BYTES,
    unasked="its API has no request that tries a token without storing an event",
)
