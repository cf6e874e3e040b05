"""Events as they may be kept, and as their owner planned them: privacy rules first, then the tracking plan, which sees
nothing of what must not be kept. Pure, so that a large request can be done in a thread."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from gateway.collect.digest import Digest
from gateway.collect.privacy import governed
from gateway.govern import Privacy, TrackingPlan
from gateway.govern.tracking_plan import decoded

_TOLD = ("type", "event", "messageId")
MAX_TOLD_CHARACTERS = 256


class Blocked(NamedTuple):
    """An event that its owner wants kept out."""

    outline: bytes
    """JSON that says which event it was, with nothing that was in it."""
    words: str
    """What is wrong with it."""


class Inspected(NamedTuple):
    """What became of a request's events."""

    result: Digest
    """Those to be stored."""
    blocked: list[Blocked]
    violations: Mapping[str, int]
    """Events by kind of violation."""
    sample: str
    """One of the violations in words; empty where there is none."""


def inspected(result: Digest, privacy: Privacy | None, plan: TrackingPlan | None) -> Inspected:
    """The events of a request under the rules of their source."""
    if privacy is not None:
        result = result._replace(
            message_ids=[privacy.message_id(each) for each in result.message_ids],
            raws=[governed(raw, privacy) for raw in result.raws],
        )
    return _judged(result, plan) if plan is not None else Inspected(result, [], {}, "")


def _judged(result: Digest, plan: TrackingPlan) -> Inspected:
    kept: list[tuple[str, bytes]] = []
    blocked: list[Blocked] = []
    violations: Counter[str] = Counter()
    sample = ""
    for message_id, raw in zip(result.message_ids, result.raws, strict=True):
        event = decoded(raw)
        violation = plan.violation(event)
        if violation is not None:
            violations.update(violation.kinds)
            sample = sample or violation.words
            if violation.action == "block":
                blocked.append(Blocked(_outline(event), violation.words))
                continue
        kept.append((message_id, raw))
    if blocked:
        result = result._replace(message_ids=[each[0] for each in kept], raws=[each[1] for each in kept])
    return Inspected(result, blocked, violations, sample)


def _outline(event: Mapping[str, Any]) -> bytes:
    return orjson.dumps({key: event[key][:MAX_TOLD_CHARACTERS] for key in _TOLD if isinstance(event.get(key), str)})
