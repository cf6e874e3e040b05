"""From a stored event to what a destination is sent, or to the reason why it is not. Pure.

`admit` asks the owner's rules and the sender's wishes, `address` puts what they let through in the destination's words.
Between the two stand the owner's transforms, which are not pure (transforms.py); where there are none, `prepare` is
both in one.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from gateway.config import DestinationSettings
from gateway.deliver.breaker import Moment
from gateway.deliver.lanes import Item
from gateway.deliver.progress import Filtered
from gateway.deliver.routing import BY_SOURCE, Route, route
from gateway.destinations.contract import Destination, Message, Payload
from gateway.model.envelope import Stored
from gateway.model.event import Event, parse_time

NO_COUNTERPART = Filtered("no_counterpart")
FORGOTTEN = Filtered("forgotten")
"""A tombstone in the place of an event whose person asked to be forgotten."""
UNREADABLE = Filtered("unreadable")
"""A hole in the log that a salvage left: counted, never skipped in silence."""


@dataclass(frozen=True)
class Plan:
    """What decides about an event: the kind of destination and the owner's settings of this one."""

    name: str
    """In the configuration."""
    kind: Destination[Any]
    settings: DestinationSettings

    @cached_property
    def route(self) -> Route:
        """What is let through."""
        return route(self.name, self.kind.title, self.settings, self.kind.category, heeds_all=True)


@dataclass(frozen=True, slots=True)
class Unsendable:
    """Will never be sent: a dead letter with this reason (of the queue's closed list) and error."""

    reason: str
    error: str


Prepared = Sequence[Item] | Filtered | Unsendable
"""What goes into the lanes for one event, or why nothing does."""


def prepare(stored: Stored, plan: Plan, canonical: Callable[[Stored], Event], now: Moment) -> Prepared:
    """What is sent for the event. `canonical` decodes it, raising ValueError where that fails."""
    admitted = admit(stored, plan, canonical, now)
    return address(stored, [admitted], plan, now) if isinstance(admitted, dict) else admitted


def admit(
    stored: Stored, plan: Plan, canonical: Callable[[Stored], Event], now: Moment
) -> Event | Filtered | Unsendable:
    """The event as the owner's rules let it go."""
    source = stored.envelope.source
    if not plan.route.takes(source):
        return FORGOTTEN if stored.envelope.is_tombstone else BY_SOURCE
    try:
        event = canonical(stored)
        admitted = plan.route.admit(event, source)
    except Exception as error:  # noqa: BLE001 - an event that cannot be decoded, or that a rule cannot bear
        return _unmappable(error)
    if isinstance(admitted, dict) and is_too_old(event, plan, now.ms):
        return Unsendable("too_old", f"older than the {plan.kind.age_limit_s(plan.settings):g} s that are accepted")
    return admitted


def address(stored: Stored, events: Sequence[Event], plan: Plan, now: Moment) -> Prepared:
    """What the destination is told of `events`, which are what became of the stored one."""
    try:
        told = [(event, message) for event in events for message in plan.kind.map(event, plan.settings)]
        payloads = [(event, _payload(event, message)) for event, message in told]
    except Exception as error:  # noqa: BLE001 - a destination's `map` met an event it cannot bear: that event alone pays
        return _unmappable(error)
    if not payloads:
        return NO_COUNTERPART
    largest, limit = max(len(payload.body) for _, payload in payloads), plan.kind.batch_bytes(plan.settings)
    if largest > limit:
        return Unsendable("too_large", f"{largest} bytes, accepted are {limit}")
    return [Item(stored, person(event, stored), payload, now.s, len(payloads)) for event, payload in payloads]


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


def _payload(event: Event, message: Message) -> Payload:
    return Payload(event["messageId"], orjson.dumps(message.body), message.key, message.repairs)


def _unmappable(error: Exception) -> Unsendable:
    words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return Unsendable("unmappable", words)
