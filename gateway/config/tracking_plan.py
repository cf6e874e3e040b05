"""The owner's tracking plan: a file that says which events there are, and what each of them must hold.

Read and compiled when the configuration is, so that a plan that cannot be used is refused with it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema_rs
import orjson
from pydantic import BeforeValidator, InstanceOf

from gateway.config.section import Section

EVENTS = "events"
CALLS = ("page", "screen", "identify", "group")
MASK = "the value"
"""What stands for a value in the words about it."""
MAX_BACKTRACKS = 100_000
"""Of a `pattern`, whose text a client chooses."""


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan, ready to judge by. Two are the same where path and digest are, so a reload sees a changed file."""

    path: Path
    digest: str
    events: Mapping[str, jsonschema_rs.Validator] = field(compare=False, repr=False)
    """For the properties of track events, by name."""
    calls: Mapping[str, jsonschema_rs.Validator] = field(compare=False, repr=False)
    """For the properties of pages and screens and the traits of identifies and groups, by type."""


def read_plan(value: Any) -> PlanFile:
    """The plan in the file at a path. Raises ValueError that says what is wrong with it, and where."""
    if isinstance(value, PlanFile):
        value = value.path
    if not isinstance(value, str | Path):
        raise ValueError("write the path of a JSON file in quotes")  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    path = Path(value)
    try:
        content = path.read_bytes()
        document = orjson.loads(content)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    try:
        events, calls = _compiled(document)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return PlanFile(path.absolute(), hashlib.sha256(content).hexdigest(), events, calls)


def _compiled(
    document: Any,
) -> tuple[dict[str, jsonschema_rs.Validator], dict[str, jsonschema_rs.Validator]]:
    if not isinstance(document, dict):
        raise ValueError('write an object, like {"events": {"Order Completed": {"required": ["total"]}}}')  # noqa: TRY004 - as above
    for key in document:
        if key not in (EVENTS, *CALLS):
            raise ValueError(f'unknown key "{key}"; there are {", ".join((EVENTS, *CALLS))}')
    events = document.get(EVENTS, {})
    if not isinstance(events, dict):
        raise ValueError(f"{EVENTS}: write an object with a JSON Schema for each name of an event")  # noqa: TRY004 - as above
    named = {name: _validator(schema, f'{EVENTS}."{name}"') for name, schema in events.items()}
    return named, {call: _validator(document[call], call) for call in CALLS if call in document}


def _validator(schema: Any, where: str) -> jsonschema_rs.Validator:
    if not isinstance(schema, dict | bool):
        raise ValueError(f"{where}: write a JSON Schema, which is an object")  # noqa: TRY004 - as above
    try:
        return _compile(schema, MASK)
    except ValueError:  # which jsonschema_rs.ValidationError is
        raise ValueError(_fault(schema, where)) from None


def _fault(schema: Any, where: str) -> str:
    """What is wrong with a schema; here values are shown, for they are the owner's."""
    try:
        _compile(schema, None)
    except jsonschema_rs.ValidationError as error:
        return f"{'.'.join([where, *map(str, error.instance_path)])}: {error.message}"
    except ValueError as error:
        return f"{where}: {error}"
    return f"{where}: this is no JSON Schema"


def _compile(schema: Any, mask: str | None) -> jsonschema_rs.Validator:
    """Nothing is fetched: what a schema refers to has to be in it."""
    return jsonschema_rs.validator_for(
        schema,
        mask=mask,
        validate_formats=True,
        offline=True,
        pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS),
    )


Plan = Annotated[InstanceOf[PlanFile], BeforeValidator(read_plan)]


class TrackingPlanSettings(Section):
    """`[sources.NAME.tracking_plan]`. docs/tracking-plan.md describes the file."""

    path: Plan | None = None
    violations: Literal["report", "quarantine", "block"] = "report"
    """What becomes of events that are not as planned."""
    unplanned: Literal["allow", "report", "quarantine", "block"] = "allow"
    """What becomes of track events whose name is not in the plan."""
