"""Whether an event is as its owner planned it. Pure.

What is said about an event that is not names the place and what is wrong there, never the value.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal, NamedTuple

import jsonschema_rs
import orjson

from gateway.config import PlanFile, TrackingPlanSettings

Action = Literal["report", "quarantine", "block"]
"""What becomes of an event that is not as planned."""

KINDS = ("unplanned", "missing", "unexpected", "type", "value")
"""What can be wrong: the event itself is not planned, a field is missing, is not planned, is of another type, or holds
what it must not."""
MOST_ERRORS = 20
"""Looked at, of one event; of these the first few are told."""
MOST_TOLD = 3
MAX_WORDS_CHARACTERS = 300

_KIND_OF = {
    "required": "missing",
    "dependentRequired": "missing",
    "type": "type",
    "additionalProperties": "unexpected",
    "unevaluatedProperties": "unexpected",
    "additionalItems": "unexpected",
    "unevaluatedItems": "unexpected",
    "propertyNames": "unexpected",
    "falseSchema": "unexpected",
}
_HOLDERS = {"page": "properties", "screen": "properties", "identify": "traits", "group": "traits"}
_MAX_INTEGER_DIGITS = 300


class Violation(NamedTuple):
    """How an event differs from the plan."""

    action: Action
    kinds: frozenset[str]
    words: str
    """Where, and what."""


class TrackingPlan:
    """The plan of one source."""

    def __init__(self, plan: PlanFile, settings: TrackingPlanSettings) -> None:
        self._plan = plan
        self._violations = settings.violations
        self._unplanned: Action | None = None if settings.unplanned == "allow" else settings.unplanned

    @property
    def may_quarantine(self) -> bool:
        """Whether any event may be kept from destinations."""
        return "quarantine" in {self._violations, self._unplanned}

    def violation(self, event: Mapping[str, Any]) -> Violation | None:
        """How the event differs; None where it is as planned, or not planned and allowed."""
        kind = event.get("type")
        if kind == "track":
            name = event.get("event")
            schema, holder = self._plan.events.get(name) if isinstance(name, str) else None, "properties"
            if schema is None:
                return self._unplanned and Violation(
                    self._unplanned, frozenset(["unplanned"]), "event: not in the plan"
                )
        elif isinstance(kind, str) and kind in self._plan.calls:
            schema, holder = self._plan.calls[kind], _HOLDERS[kind]
        else:
            return None
        held = event.get(holder)
        return self._judged(schema, {} if held is None else held, holder)

    def _judged(self, schema: jsonschema_rs.Validator, held: Any, holder: str) -> Violation | None:
        try:
            if schema.is_valid(held):
                return None
            errors = list(islice(schema.iter_errors(held), MOST_ERRORS))
        except ValueError:  # a text that is no Unicode, or deeper than the library looks
            return Violation(self._violations, frozenset(["value"]), f"{holder}: cannot be judged")
        kinds = frozenset(_KIND_OF.get(error.kind.name, "value") for error in errors)
        return Violation(self._violations, kinds, _words(errors, holder))


def compiled(settings: TrackingPlanSettings) -> TrackingPlan | None:
    """The plan, or None where there is none."""
    return TrackingPlan(settings.path, settings) if settings.path is not None else None


def decoded(raw: bytes) -> dict[str, Any]:
    """A stored event for judging it. Numbers beyond 64 bits may lose digits, but not their kind."""
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        event = json.loads(raw, parse_int=_integer)
    return event if isinstance(event, dict) else {}


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _MAX_INTEGER_DIGITS else float(text)


def _words(errors: Iterable[jsonschema_rs.ValidationError], holder: str) -> str:
    told = [f"{_place(holder, error.instance_path)}: {error.message}" for error in errors]
    more = f"; and {len(told) - MOST_TOLD} more" if len(told) > MOST_TOLD else ""
    words = "; ".join(each[:MAX_WORDS_CHARACTERS] for each in told[:MOST_TOLD])
    return words + more


def _place(holder: str, path: Iterable[str | int]) -> str:
    return holder + "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path)
