"""What a tool is sent for an event, or the reason why it is not. Pure."""

from collections.abc import Hashable, Sequence

import orjson

from gateway.config.units import duration_in_words
from gateway.deliver.breaker import Moment
from gateway.deliver.lanes import Item
from gateway.deliver.plans import Plan
from gateway.deliver.progress import Filtered, Unsendable
from gateway.destinations.contract import Message, Payload, where
from gateway.model.envelope import Stored
from gateway.model.event import Event, parse_time
from gateway.transforms.host import told

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
            return Unsendable("too_old", f"older than the {duration_in_words(plan.max_age_s)} that are accepted")
        said = [(event, _payload(event, each)) for event in young for each in _messages(event, plan)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - `map` met an event it cannot bear: that event alone pays
        words = str(error) if isinstance(error, ValueError) else told(error)
        return Unsendable("unmappable", words)
    if not said:
        return NO_COUNTERPART
    for _, payload in said:
        if len(payload.body) > plan.max_payload_bytes:
            return Unsendable("too_large", f"{len(payload.body)} bytes, accepted are {plan.max_payload_bytes}")
    return [Item(stored, person(event, stored), payload, now.s, len(said)) for event, payload in said]


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


def _messages(event: Event, plan: Plan) -> Sequence[Message]:
    """Raises TypeError, with the place in the owner's file, where `map` returned anything else."""
    messages = plan.kind.map(event, plan.settings)
    if not isinstance(messages, list | tuple):
        raise TypeError(f"{where(plan.kind.map)} returned {type(messages).__name__}: return a list of Message, or []")
    for each in messages:
        if not isinstance(each, Message):
            raise TypeError(f"{where(plan.kind.map)} returned a list with {type(each).__name__} in it, not a Message")
    return messages


def _payload(event: Event, message: Message) -> Payload:
    return Payload(event["messageId"], orjson.dumps(message.body), message.key, message.repairs)
