"""From a stored event to what a destination is sent, or to the reason why it is not. Pure."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.config import DestinationSettings
from gateway.deliver.breaker import Moment
from gateway.deliver.lanes import Item
from gateway.deliver.progress import Filtered
from gateway.destinations.contract import Destination, Payload
from gateway.model.envelope import Stored
from gateway.model.event import Event, parse_time

BY_SOURCE = Filtered("sources")
NO_COUNTERPART = Filtered("no_counterpart")
FORGOTTEN = Filtered("forgotten")
"""A tombstone in the place of an event whose person asked to be forgotten."""
UNREADABLE = Filtered("unreadable")
"""A hole in the log that a salvage left: counted, never skipped in silence."""


def takes(settings: DestinationSettings, source: str) -> bool:
    """Whether the owner lets this source feed the destination; a tombstone's, which has no name, feeds none."""
    return bool(source) and (not settings.sources or source in settings.sources)


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides about an event: the kind of destination and the owner's settings of this one."""

    kind: Destination[Any]
    settings: DestinationSettings


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Will never be sent: a dead letter with this reason (of the queue's closed list) and error."""

    reason: str
    error: str


def prepare(
    stored: Stored, plan: Plan, canonical: Callable[[Stored], Event], now: Moment
) -> Item | Filtered | Unsendable:
    """What is sent for the event. `canonical` decodes it, raising ValueError where that fails."""
    if not takes(plan.settings, stored.envelope.source):
        return FORGOTTEN if stored.envelope.is_tombstone else BY_SOURCE
    try:
        event = canonical(stored)
        if is_too_old(event, plan, now.ms):
            return Unsendable("too_old", f"older than the {plan.kind.age_limit_s(plan.settings):g} s that are accepted")
        mapped = plan.kind.map(event, plan.settings)
        if mapped is None:
            return NO_COUNTERPART
        payload = Payload(event["messageId"], orjson.dumps(mapped), plan.kind.batch_key(event, plan.settings))
    except Exception as error:  # noqa: BLE001 - a destination's `map` met an event it cannot bear: that event alone pays
        return Unsendable("unmappable", f"{type(error).__name__}: {error}")
    if len(payload.body) > plan.kind.batch_bytes(plan.settings):
        return Unsendable(
            "too_large", f"{len(payload.body)} bytes, accepted are {plan.kind.batch_bytes(plan.settings)}"
        )
    return Item(stored, person(event, stored), payload, now.s)


def person(event: Event, stored: Stored) -> Hashable:
    """Whose order the event belongs to: the user, else the visitor, else nobody's."""
    for field in ("userId", "anonymousId"):
        if event.get(field):
            return field, event[field]
    return stored.offset


def is_too_old(event: Event, plan: Plan, now_ms: int) -> bool:
    """Whether the vendor or the owner refuses an event of that age."""
    limit_s = plan.kind.age_limit_s(plan.settings)
    happened_at = parse_time(event["timestamp"]) if limit_s else None
    return happened_at is not None and now_ms - happened_at.timestamp() * 1000 > limit_s * 1000
