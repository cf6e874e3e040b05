"""Events that do not fit their columns as they are.

Almost every event is read by the warehouse's engine alone. What the engine would misread, round or lose (a text in a
column of numbers, a key beyond the limits, a number beyond 64 bits, a time in an unusual form) is read here instead:
what fits is put where the engine finds it, in a form that it takes without a question, and the rest goes to `_extra`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.model.envelope import Stored
from gateway.model.event import claimed_time, corrected_timestamp, parse_time
from gateway.warehouses.columns import Columns
from gateway.warehouses.values import as_moment, bounded, decode, is_longer, shortened

PLAIN_FIELDS = ("type", "messageId", "anonymousId", "userId", "groupId", "previousId", "event", "channel")


@dataclass(frozen=True, slots=True)
class Repaired:
    """An event, as the engine reads it without loss."""

    raw: bytes
    all_properties: bytes | None
    """What the client sent as the properties of a track, where `raw` has them in part."""
    extra: bytes | None
    """The values without a column, under `context`, `properties` or `traits`, nested as they were."""


def body_of(event: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The object that becomes columns of the event's own table, and the name of its field in the spec.

    A page's and a screen's name and category are columns like their properties; traits may come within the context.
    """
    match event["type"]:
        case "track":
            return "properties", event.get("properties") or {}
        case "page" | "screen":
            named = {field: event[field] for field in ("name", "category") if event.get(field) is not None}
            return "properties", named | (event.get("properties") or {})
        case "identify" | "group":
            return "traits", event.get("traits") or (event.get("context") or {}).get("traits") or {}
        case _:
            return "traits", {}


def repair(stored: Stored, context: Columns, body: Columns | None, warnings: Counter[str]) -> Repaired:
    """The event in a form whose every value fits. `body` is None for a track without a table of its own."""
    event = decode(stored.raw)
    fitting_context, extra_context = context.split(event.get("context") or {}, warnings)
    field, values = body_of(event)
    fitting_body, extra_body = (values, {}) if body is None else body.split(values, warnings)
    longest = context.capacity.longest_text
    plain = {name: event.get(name) for name in PLAIN_FIELDS}
    cut = {name: text for name, text in plain.items() if text and is_longer(text, longest)}
    fitting = plain | {name: shortened(text, longest or 0) for name, text in cut.items()} | _times(event, stored)
    extra = cut | {name: part for name, part in (("context", extra_context), (field, extra_body)) if part}
    return Repaired(
        orjson.dumps(fitting | {"context": fitting_context, field: fitting_body}),
        orjson.dumps(bounded(values, longest)) if event["type"] == "track" else None,
        orjson.dumps(bounded(extra, longest)) if extra else None,
    )


def _times(event: Mapping[str, Any], stored: Stored) -> dict[str, Any]:
    """The event's times, such that an explicit `timestamp` beside an `originalTimestamp` is taken as it is."""
    corrected = corrected_timestamp(event, stored.envelope)
    claimed = claimed_time(event)
    sent_at = parse_time(event.get("sentAt"))
    return {
        "timestamp": as_moment(corrected),
        "originalTimestamp": (as_moment(claimed) if claimed else None) or as_moment(corrected),
        "sentAt": as_moment(sent_at) if sent_at else None,
    }
