"""What a tool is sent for an event, or the reason why it is not. Pure."""

from collections.abc import Hashable, Sequence

import orjson

from gateway.deliver.breaker import Moment
from gateway.deliver.lanes import Item
from gateway.deliver.plans import Plan
from gateway.deliver.progress import Filtered, Unsendable
from gateway.destinations.contract import Message, Payload
from gateway.model.envelope import Stored
from gateway.model.event import Event, parse_time

NO_COUNTERPART = Filtered("no_counterpart")
UNREADABLE = Filtered("unreadable")
"""A hole in the log that a salvage left: counted, never skipped in silence."""


Prepared = Sequence[Item] | Filtered | Unsendable
"""What goes into the lanes for one event, or why nothing does."""


def address(stored: Stored, events: Sequence[Event], plan: Plan, now: Moment) -> Prepared:
    """What the tool is told of `events`, which are what became of the stored one."""
    try:
        young = [event for event in events if not is_too_old(event, plan.max_age_s, now.ms)]
        if not young:
            return Unsendable("too_old", f"older than the {plan.max_age_s:g} s that are accepted")
        told = [(event, _payload(event, each)) for event in young for each in plan.kind.map(event, plan.settings)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - `map` met an event it cannot bear: that event alone pays
        words = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        return Unsendable("unmappable", words)
    if not told:
        return NO_COUNTERPART
    for _, payload in told:
        if len(payload.body) > plan.max_payload_bytes:
            return Unsendable("too_large", f"{len(payload.body)} bytes, accepted are {plan.max_payload_bytes}")
    return [Item(stored, person(event, stored), payload, now.s, len(told)) for event, payload in told]


def person(event: Event, stored: Stored) -> Hashable:
    """Whose order the event belongs to: the user, else the visitor, else nobody's."""
    for key in ("userId", "anonymousId"):
        if event.get(key):
            return key, event[key]
    return stored.offset


def is_too_old(event: Event, max_age_s: float, now_ms: int) -> bool:
    """Whether the vendor or the owner refuses an event of that age; zero: of no age."""
    happened_at = parse_time(event["timestamp"]) if max_age_s else None
    return happened_at is not None and now_ms - happened_at.timestamp() * 1000 > max_age_s * 1000


def _payload(event: Event, message: Message) -> Payload:
    return Payload(event["messageId"], orjson.dumps(message.body), message.key, message.repairs)
