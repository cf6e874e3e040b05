"""One event: judged, and put into the form that everything downstream relies on.

What holds for every event that passes: it is a JSON object in valid UTF-8, nested 64 deep at most, without U+0000,
lone surrogates or NaN; `type` is one of the six; `messageId` is a non-empty string; `userId`, `anonymousId`, `groupId`
and `previousId` are non-empty strings, null or absent; `context`, `context.traits`, `properties`, `traits` and
`integrations` are objects, null or absent. Numbers are as the client wrote them. None of the id fields nor `type` is
there twice.

A clean event is stored as the very bytes that came. What is missing is put right behind the opening brace, without
reading the rest. Only an odd event is read, mended and written again (rewrite.py).
"""

import re

from msgspec import UNSET

from gateway.collect import refusals
from gateway.collect.fields import UNREADABLE, Event, decode_event, decode_nested
from gateway.collect.judge import Rules, Settled, judge
from gateway.collect.lenient import is_too_deep
from gateway.collect.refusals import Refusal
from gateway.collect.rewrite import rewrite

_ODD_ESCAPE = re.compile(rb"\\u00(?:00|[4-7])")
"""An escaped U+0000, or an escaped ASCII letter: no encoder writes these but to hide a key from a byte search."""
ID_KEYS = re.compile(rb'I(?<=ssageI|ymousI|"userI|groupI|viousI)d"')
"""The end of an id's key. Led by its rarest byte, it searches faster than `bytes.count` does for three whole keys."""
_UNIQUE_KEYS = (b'"messageId"', b'"userId"', b'"anonymousId"', b'"groupId"', b'"previousId"', b'"type"')


def is_suspect(data: bytes) -> bool:
    """Whether `data` holds what the decoder lets pass in skipped values: invalid UTF-8 or an odd escape."""
    if b"\\" in data and _ODD_ESCAPE.search(data):
        return True
    if data.isascii():
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def normalise(raw: bytes, rules: Rules) -> Settled | Refusal:
    """The event in `raw`: a JSON value without space around it, whose syntax the decoder has checked."""
    try:
        event = decode_event(raw)
    except UNREADABLE:
        return rewrite(raw, rules)
    return settle(event, raw, rules)


def settle(event: Event, raw: bytes, rules: Rules) -> Settled | Refusal:
    """The same, once the fields of `raw` are decoded."""
    if len(raw) > rules.max_event_bytes:
        return refusals.EVENT_TOO_LARGE
    if (rules.suspect and is_suspect(raw)) or _repeats_a_key(event, raw):
        return rewrite(raw, rules)
    if event.userId == "" or event.anonymousId == "" or event.groupId == "" or event.previousId == "":
        mended = _with_null_for_empty_ids(event, raw)
        if mended is None:
            return rewrite(raw, rules)
        raw = mended
    kind = event.type or rules.path_type
    refusal = judge(event, kind) or (refusals.TOO_DEEP if is_too_deep(raw) else None)
    if refusal is not None:
        return refusal
    if event.type and event.messageId and not rules.context and not rules.integrations:
        return event.messageId, raw, False
    return _complete(event, kind, raw, rules)


def _repeats_a_key(event: Event, raw: bytes) -> bool:
    """Whether an id or `type` may be there twice: readers differ in which of two they take."""
    ids = (
        (event.messageId is not UNSET)
        + (event.userId is not UNSET)
        + (event.anonymousId is not UNSET)
        + (event.groupId is not UNSET)
        + (event.previousId is not UNSET)
    )
    if len(ID_KEYS.findall(raw)) == ids and raw.count(b'"type"') == (event.type is not UNSET):
        return False
    return _repeats_an_own_key(raw)


def _repeats_an_own_key(raw: bytes) -> bool:
    """The same outside of the containers, whose keys are their own. Text that only looks like a key counts as one."""
    nested = decode_nested(raw)
    parts = [bytes(part) for part in (nested.context, nested.properties, nested.traits, nested.integrations)]
    return any(raw.count(key) - sum(part.count(key) for part in parts) > 1 for key in _UNIQUE_KEYS)


def _with_null_for_empty_ids(event: Event, raw: bytes) -> bytes | None:
    """`raw` with null for each empty id (rudder-js sends `"userId":""` for every visitor who has not logged in).

    None when the bytes alone do not say where the field is.
    """
    for name, value in (
        (b'"userId"', event.userId),
        (b'"anonymousId"', event.anonymousId),
        (b'"groupId"', event.groupId),
        (b'"previousId"', event.previousId),
    ):
        if value == "":
            if raw.count(name) != 1 or name + b':""' not in raw:
                return None
            raw = raw.replace(name + b':""', name + b":null")
    return raw


def _complete(event: Event, kind: str, raw: bytes, rules: Rules) -> Settled | Refusal:
    """Put in front what the event lacks. Where it has a part of it already, it has to be read."""
    has_context = event.context is not UNSET
    if (has_context and (rules.context or not event.messageId)) or (rules.context and not event.messageId):
        return rewrite(raw, rules)
    if rules.integrations and event.integrations is not UNSET:
        return rewrite(raw, rules)
    message_id = event.messageId or rules.new_id()
    fields = b""
    if not event.type:
        fields += b'"type":"%b",' % kind.encode()
    if not event.messageId:
        fields += b'"messageId":"%b","context":{"gateway":{"generated":["messageId"]}},' % message_id.encode()
    if rules.context:
        fields += b'"context":%b,' % rules.context
    if rules.integrations:
        fields += b'"integrations":%b,' % rules.integrations
    return message_id, b"{" + fields + raw[1:], False
