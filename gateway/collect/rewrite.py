"""The slow path: an odd event is read whole, mended and written again.

What was done to it is said in `context.gateway`: `generated` lists the fields that the gateway made, `repaired` is true
when the JSON itself was mended, and `setAside` keeps what stood where an object belongs.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from gateway.collect import refusals
from gateway.collect.fields import decode_event
from gateway.collect.judge import Rules, Settled, judge
from gateway.collect.lenient import Number, RefusedError, clean, dump, is_too_deep, load
from gateway.collect.refusals import MAX_ID_CHARACTERS, MAX_MESSAGE_ID_CHARACTERS, Refusal
from gateway.model.event import EVENT_TYPES

ID_FIELDS = ("messageId", "userId", "anonymousId", "groupId", "previousId")
_TEXT_FIELDS = (*ID_FIELDS, "event", "type", "writeKey")
_CONTAINERS = ("context", "properties", "traits", "integrations")


def rewrite(raw: bytes, rules: Rules) -> Settled | Refusal:
    """The event in `raw`, mended and judged."""
    if len(raw) > rules.max_event_bytes:
        return refusals.EVENT_TOO_LARGE
    try:
        value, repaired = load(raw)
    except RefusedError as error:
        return error.refusal
    return rewrite_value(value, rules, repaired=repaired)


def rewrite_value(value: Any, rules: Rules, *, repaired: bool) -> Settled | Refusal:
    """The event that `lenient.load` read as `value`, mended and judged."""
    if not isinstance(value, dict):
        return refusals.NOT_AN_OBJECT
    try:
        event, changed = clean(value)
        _make_texts(event)
        _complete(event, rules, repaired=repaired or changed)
        raw = dump(event)
    except RefusedError as error:
        return error.refusal
    return _judge_written(raw, rules) or (event["messageId"], raw, repaired or changed)


def _judge_written(raw: bytes, rules: Rules) -> Refusal | None:
    if len(raw) > rules.max_event_bytes:
        return refusals.EVENT_TOO_LARGE
    if is_too_deep(raw):
        return refusals.TOO_DEEP
    fields = decode_event(raw)
    return judge(fields, fields.type or "")


def _make_texts(event: dict[str, Any]) -> None:
    """Numbers become strings, as they were written; null and "" become absent; anything else is refused."""
    for field in _TEXT_FIELDS:
        value = event.get(field, "")
        if isinstance(value, Number):
            event[field] = orjson.dumps(value).decode()
        elif value is None or value == "":
            event.pop(field, None)
        elif not isinstance(value, str):
            raise RefusedError(refusals.INVALID_TYPE if field == "type" else refusals.INVALID_ID)
    if event.get("type", "track") not in EVENT_TYPES:
        raise RefusedError(refusals.INVALID_TYPE)
    if len(event.get("messageId", "")) > MAX_MESSAGE_ID_CHARACTERS:
        raise RefusedError(refusals.MESSAGE_ID_TOO_LONG)
    if any(len(event.get(field, "")) > MAX_ID_CHARACTERS for field in ID_FIELDS):
        raise RefusedError(refusals.ID_TOO_LONG)


def _complete(event: dict[str, Any], rules: Rules, *, repaired: bool) -> None:
    """Give the event what it lacks, and say in its context what was done to it."""
    notes: dict[str, Any] = {}
    if "type" not in event and rules.path_type:
        event["type"] = rules.path_type
    if "messageId" not in event:
        event["messageId"] = rules.new_id()
        notes["generated"] = ["messageId"]
    if repaired:
        notes["repaired"] = True
    set_aside = _set_aside(event, _CONTAINERS, "")
    _merge_shared(event, "context", rules.context)
    _merge_shared(event, "integrations", rules.integrations)
    set_aside |= _set_aside(event.get("context") or {}, ("traits",), "context.")
    if set_aside:
        notes["setAside"] = set_aside
    if notes:
        event["context"] = {**(event.get("context") or {}), "gateway": notes}


def _set_aside(holder: dict[str, Any], fields: Sequence[str], prefix: str) -> dict[str, Any]:
    """Take out what stands where an object belongs, under its full name. Null may stay."""
    misplaced = [field for field in fields if not isinstance(holder.get(field), dict | None)]
    return {prefix + field: holder.pop(field) for field in misplaced}


def _merge_shared(event: dict[str, Any], field: str, shared: bytes) -> None:
    """What the batch says for all holds where the event itself says nothing."""
    if not shared:
        return
    value, _ = clean(load(shared)[0])
    event[field] = {**value, **(event.get(field) or {})}
