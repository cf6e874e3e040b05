"""PostHog: everything to /batch/, as PostHog's own libraries do it.

Source: PostHog's "Capture and batch API endpoints" (shapes, size), "Historical migrations overview" (what is history,
a day to a batch), "Anonymous vs identified events", "Sessions" (custom session ids); its own capture service for what
it answers, and its own ingestion for who is merged into whom and which ids never are.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import orjson
from pydantic import SecretStr

from gateway.config import BatchSettings, DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.analytics import address, arrival, device, known_id, numbers, texts, uuid_of, viewed
from gateway.destinations.classify import answer, classify_by_status
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.fields import (
    find,
    milliseconds,
    name,
    present,
    properties,
    referrer,
    table,
    timestamp_ms,
    traits,
    url,
)
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome

MAX_BATCH_EVENTS = 10_000
"""PostHog names none."""
MAX_BATCH_BYTES = 19_000_000
"""Of 20 MB; the rest is for what stands around the events."""
DAY_MS = 86_400_000
HISTORY_MS = 2 * DAY_MS
"""What is older is history to PostHog."""
TOO_MANY_REQUESTS = 429

_HOSTS = {"us": "https://us.i.posthog.com", "eu": "https://eu.i.posthog.com"}
_REFUSED_IDS = ("distinctid", "distinct_id", "id", "not_authenticated", "email")
"""PostHog merges nobody with these; those of model/junk.py are the others."""
_TEXTS = {
    "$app_build": "context.app.build",
    "$app_name": "context.app.name",
    "$app_namespace": "context.app.namespace",
    "$app_version": "context.app.version",
    "$browser_language": "context.locale",
    "$device_name": "context.device.name",
    "$ip": "context.ip",
    "$lib": "context.library.name",
    "$lib_version": "context.library.version",
    "$network_carrier": "context.network.carrier",
    "$raw_user_agent": "context.userAgent",
    "$timezone": "context.timezone",
    "title": "context.page.title",
}
_NUMBERS = {
    "$screen_height": "context.screen.height",
    "$screen_width": "context.screen.width",
    "$viewport_height": "context.screen.innerHeight",
    "$viewport_width": "context.screen.innerWidth",
}


class PosthogSettings(DestinationSettings):
    """Which project, and who gets a profile."""

    type: Literal["posthog"] = "posthog"
    api_key: SecretStr
    """The project API key, `phc_...`."""
    region: Literal["us", "eu"] = "us"
    """Which PostHog Cloud: `us` or `eu`."""
    base_url: BaseUrl | None = None
    """The address of a PostHog of your own, in place of the region's."""
    anonymous_profiles: bool = False
    """Give visitors a person profile before they are known, too. PostHog charges more for events with profiles."""
    group_type: str = ""
    """What `groupId` names, like `company`: needs Group Analytics. Without it PostHog is not told of groups."""
    batch: BatchSettings = BatchSettings(max_events=1000, max_bytes=5_000_000)
    """Larger than elsewhere. PostHog's own limit still holds."""

    @property
    def host(self) -> str:
        """What the path is appended to."""
        return self.base_url or _HOSTS[self.region]


def map_event(event: Event, settings: PosthogSettings) -> Sequence[Message]:
    """Every call is an event; those that speak of people and groups have names of PostHog's."""
    match event["type"]:
        case "identify":
            return _identify(event, settings)
        case "group":
            return _group(event, settings)
        case "alias":
            return _alias(event, settings)
        case "page":
            return [_told("$pageview", viewed(event), event, settings)]
        case "screen":
            said = {**viewed(event), **present(**{"$screen_name": name(event)})}
            return [_told("$screen", said, event, settings)]
        case _:
            return [_told(name(event), properties(event), event, settings)] if name(event) else []


def request(payloads: Sequence[Payload], settings: PosthogSettings, sending: Sending) -> Request:
    """The events of one day; without `sent_at`, by which PostHog would correct times that are corrected already."""
    is_history = _is_history(payloads[0].key, sending.now_ms)
    around = orjson.dumps({"api_key": settings.api_key.get_secret_value(), "historical_migration": is_history})
    body = around[:-1] + b',"batch":[' + b",".join(payload.body for payload in payloads) + b"]}"
    return Request(f"{settings.host}/batch/", body, {"content-type": "application/json"})


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """The default table; but over its quota PostHog drops what it is sent, and says 200 or 429: the owner must act."""
    verdict = classify_by_status(response)
    limited = answer(response).get("quota_limited")
    if isinstance(verdict, Delivered) and isinstance(limited, list) and "events" in limited:
        return Halt("quota_limited: events")
    if response.status == TOO_MANY_REQUESTS and b"billing limit" in response.body:
        return Halt("HTTP 429: billing limit reached")
    return verdict


def _identify(event: Event, settings: PosthogSettings) -> Sequence[Message]:
    """$identify gives what the visitor did to the user, unless the visitor was another user before."""
    user_id, visitor_id = _user(event), _visitor(event)
    said = present(**{"$set": dict(traits(event))})
    if user_id is None:
        is_told = settings.anonymous_profiles and visitor_id is not None and said
        return [_told("$set", said, event, settings)] if is_told else []
    if visitor_id is not None and visitor_id != user_id:
        said["$anon_distinct_id"] = visitor_id
    return [_told("$identify", said, event, settings)]


def _group(event: Event, settings: PosthogSettings) -> Sequence[Message]:
    group_id = known_id(event, "groupId")
    if not settings.group_type or group_id is None:
        return []
    said = {
        "$group_type": settings.group_type,
        "$group_key": group_id,
        "$group_set": dict(table(event, "traits")),
        "$groups": {settings.group_type: group_id},
    }
    return [_told("$groupidentify", said, event, settings)]


def _alias(event: Event, settings: PosthogSettings) -> Sequence[Message]:
    """PostHog merges the person of `alias` into that of `distinct_id`, who is kept."""
    user_id, previous_id = _user(event), known_id(event, "previousId", _REFUSED_IDS)
    if user_id is None or previous_id is None or user_id == previous_id:
        return []
    return [_told("$create_alias", {"distinct_id": user_id, "alias": previous_id}, event, settings)]


def _told(event_name: str, said: Mapping[str, Any], event: Event, settings: PosthogSettings) -> Message:
    """An event of nobody is its own visitor."""
    key, user_id, visitor_id = uuid_of(event["messageId"]), _user(event), _visitor(event)
    has_profile = user_id is not None or (settings.anonymous_profiles and visitor_id is not None)
    body = {
        "event": event_name,
        "distinct_id": user_id or visitor_id or key,
        "uuid": key,
        "timestamp": event["timestamp"],
        "properties": {
            **_context(event, settings),
            **said,
            **({} if has_profile else {"$process_person_profile": False}),
        },
    }
    return Message(body, key=event["timestamp"][:10])


def _context(event: Event, settings: PosthogSettings) -> dict[str, Any]:
    seen, where, came_from = device(event), url(event), referrer(event)
    group_id = known_id(event, "context.groupId")
    told = {
        **texts(event, _TEXTS),
        **numbers(event, _NUMBERS),
        **arrival(event),
        **present(
            **{
                "$browser": seen.browser,
                "$browser_version": seen.browser_version,
                "$current_url": where,
                "$device_id": _visitor(event),
                "$device_manufacturer": seen.manufacturer,
                "$device_model": seen.model,
                "$host": address(where).netloc,
                "$os": seen.os,
                "$os_version": seen.os_version,
                "$pathname": address(where).path,
                "$referrer": came_from,
                "$referring_domain": address(came_from).netloc,
                "$session_id": session_id(event),
            }
        ),
    }
    groups = {"$groups": {settings.group_type: group_id}} if settings.group_type and group_id else {}
    # Without an address of the visitor's, PostHog would look ours up.
    return {**told, **groups, **({} if "$ip" in told else {"$geoip_disable": True})}


def session_id(event: Event) -> str | None:
    """A UUID of version 7 whose time is the session's start, the same for the visitor's whole session.

    PostHog counts no event into a session that began after it, or more than a day before it.
    """
    began_ms, visitor_id = timestamp_ms(find(event, "context.sessionId")) or 0, _visitor(event)
    if visitor_id is None or not 0 < began_ms <= milliseconds(event) < began_ms + DAY_MS:
        return None
    began, rest = f"{began_ms:012x}", hashlib.sha256(f"{visitor_id}/{began_ms}".encode()).hexdigest()
    return f"{began[:8]}-{began[8:]}-7{rest[:3]}-8{rest[3:6]}-{rest[6:18]}"


def _user(event: Event) -> str | None:
    return known_id(event, "userId", _REFUSED_IDS)


def _visitor(event: Event) -> str | None:
    return known_id(event, "anonymousId", _REFUSED_IDS)


def _is_history(day: str, now_ms: int) -> bool:
    """Whether all of the day is."""
    began_ms = timestamp_ms(day)
    return began_ms is not None and now_ms - (began_ms + DAY_MS) > HISTORY_MS


POSTHOG = Destination(
    settings=PosthogSettings,
    title="PostHog",
    category="analytics",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    unasked="its API has no request that tries a project key without storing an event",
)
