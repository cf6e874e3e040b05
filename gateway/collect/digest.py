"""A body as it came over the wire, turned into events to store. Pure, so that a large body can be done in a thread."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from gateway.collect import refusals
from gateway.collect.fields import UNREADABLE, Body, Frame, decode_array, decode_body, decode_shared
from gateway.collect.inflate import inflate
from gateway.collect.judge import Rules, Settled
from gateway.collect.lenient import Number, RefusedError, clean, clean_text, dump, is_too_deep, load
from gateway.collect.normalise import is_suspect, settle
from gateway.collect.refusals import Refusal
from gateway.collect.rewrite import rewrite_value
from gateway.collect.settle_batch import settle_batch

NOMINAL_EVENT_BYTES = 32_000
"""Segment's published limit, which its own SDKs exceed: above it an event is counted, and taken."""
MAX_SHARED_BYTES = 32_000
"""A batch's own `context` and `integrations`: they are copied into each event."""
MAX_SENT_AT_CHARACTERS = 64
MAX_SENT_AT = 2**63
REJECTED_BODY_BYTES = 2048

NO_FRAME = Frame()

SentAt = str | int | float | None


class Rejection(NamedTuple):
    """A refused event of a batch; `body` is its start."""

    position: int
    """Its place in the batch, from 0."""
    refusal: Refusal
    body: bytes


class Digest(NamedTuple):
    """What a body holds."""

    write_key: str
    """As the body says it; empty where it does not."""
    sent_at: SentAt
    message_ids: list[str]
    raws: list[bytes]
    """The good events, in order; as many as `message_ids`."""
    rejections: list[Rejection]
    repaired: int
    oversize: int
    is_batch: bool
    frame: Frame = NO_FRAME
    """What the browser script says beside its events."""
    is_refused: bool = False
    """Whether the visitor's choice keeps any of it from being stored."""
    for_owner: int = 0
    """How many of `raws` are stored for the owner alone, though their visitor refused."""


def digest(wire: bytes, encoding: str, max_inflated_bytes: int, rules: Rules) -> Digest | Refusal:
    """The events in a body that came as `wire`, or why it is refused as a whole.

    An object is an event, or a batch of them when it has `batch`; an array is a batch. Content-Type plays no part.
    """
    body = inflate(wire, encoding, max_inflated_bytes)
    if isinstance(body, Refusal):
        return body
    if body[:1] != b"{" or body[-1:] != b"}":
        body = body.strip(b" \t\r\n")
    if not body:
        return refusals.EMPTY_BODY
    try:
        if body[:1] == b"[":
            return _digest_batch(decode_array(body), Body(), body, rules)
        fields = decode_body(body)
        if fields.batch is UNSET:
            return _digest_single(fields, body, rules)
        return _digest_batch(fields.batch, fields, body, rules)
    except UNREADABLE:
        return _digest_leniently(body, rules)


def _digest_single(fields: Body, body: bytes, rules: Rules) -> Digest:
    key = fields.writeKey or ""
    settled = settle(fields, body, rules)
    if isinstance(settled, Refusal):
        return Digest(key, None, [], [], [Rejection(0, settled, body[:REJECTED_BODY_BYTES])], 0, 0, is_batch=False)
    message_id, raw, repaired = settled
    return Digest(key, None, [message_id], [raw], [], repaired, len(raw) > NOMINAL_EVENT_BYTES, is_batch=False)


def _digest_batch(events: list[msgspec.Raw], fields: Body, body: bytes, rules: Rules) -> Digest | Refusal:
    rules = rules._replace(suspect=is_suspect(body))
    if fields.context is not UNSET or fields.integrations is not UNSET:
        shared = decode_shared(body)
        context = _shareable(b"" if shared.context is UNSET else bytes(shared.context))
        integrations = _shareable(b"" if shared.integrations is UNSET else bytes(shared.integrations))
        if context is None or integrations is None:
            return refusals.SHARED_TOO_LARGE
        rules = rules._replace(context=context, integrations=integrations)
    raws = [bytes(event) for event in events]
    key = fields.writeKey or _key_of_first(raws)
    settled = _within(settle_batch(body, raws, rules), rules)
    return _collect(settled, raws, key, _bounded_sent_at(fields.sentAt), is_batch=True)


def _digest_leniently(body: bytes, rules: Rules) -> Digest | Refusal:
    """The same for a body that the strict decoder refuses: all of it is read, mended and written again."""
    try:
        value, repaired = load(body)
        frame = value if isinstance(value, dict) else {}
        events = value if isinstance(value, list) else frame.get("batch", [value])
        context, integrations = _shareable_value(frame, "context"), _shareable_value(frame, "integrations")
    except RefusedError as error:
        return refusals.FORM_BODY if body.startswith(b"data=") else error.refusal
    if not isinstance(events, list):
        return refusals.INVALID_BATCH
    is_batch = events is value or "batch" in frame
    if is_batch:
        if context is None or integrations is None:
            return refusals.SHARED_TOO_LARGE
        rules = rules._replace(context=context, integrations=integrations)
    settled = _within((rewrite_value(each, rules, repaired=repaired) for each in events), rules)
    starts = [body[:REJECTED_BODY_BYTES]] * len(events)
    first = events[0] if events and isinstance(events[0], dict) else {}
    key = _text(frame.get("writeKey")) or _text(first.get("writeKey"))
    return _collect(settled, starts, key, _bounded_sent_at(_text(frame.get("sentAt")) or None), is_batch=is_batch)


def _within(settled: Iterable[Settled | Refusal], rules: Rules) -> Iterable[Settled | Refusal]:
    """What a batch shares is multiplied by its events: together they stay within the limit of a body."""
    if not rules.context and not rules.integrations:
        return settled
    return _counted(settled, rules.max_body_bytes)


def _counted(settled: Iterable[Settled | Refusal], max_bytes: int) -> Iterable[Settled | Refusal]:
    total = 0
    for each in settled:
        if not isinstance(each, Refusal):
            total += len(each[1])
        if total > max_bytes:
            yield refusals.SHARED_TOO_LARGE
        else:
            yield each


def _collect(
    settled: Iterable[Settled | Refusal], bodies: list[bytes], write_key: str, sent_at: SentAt, *, is_batch: bool
) -> Digest:
    judged = list(settled)
    good = [each for each in judged if not isinstance(each, Refusal)]
    rejections: list[Rejection] = []
    if len(good) < len(judged):
        rejections = [
            Rejection(position, each, bodies[position][:REJECTED_BODY_BYTES])
            for position, each in enumerate(judged)
            if isinstance(each, Refusal)
        ]
    message_ids = [message_id for message_id, _, _ in good]
    raws = [raw for _, raw, _ in good]
    repaired = sum([was_repaired for _, _, was_repaired in good])
    oversize = sum([len(raw) > NOMINAL_EVENT_BYTES for raw in raws])
    return Digest(write_key, sent_at, message_ids, raws, rejections, repaired, oversize, is_batch)


def _key_of_first(raws: list[bytes]) -> str:
    try:
        return (decode_body(raws[0]).writeKey or "") if raws else ""
    except UNREADABLE:
        return ""


def _shareable(raw: bytes) -> bytes | None:
    """What a batch says for all of its events, fit to be put into each; None when it is too much."""
    if raw in (b"", b"null") or not raw[1:-1].strip():
        return b""
    if len(raw) > MAX_SHARED_BYTES or is_too_deep(b"[" + raw + b"]"):
        return None
    return dump(clean(load(raw)[0])[0]) if is_suspect(raw) else raw


def _shareable_value(frame: dict[str, Any], field: str) -> bytes | None:
    value = frame.get(field)
    return _shareable(dump(clean(value)[0])) if isinstance(value, dict) else b""


def _text(value: Any) -> str:
    """A string or number as text, cleaned; empty for anything else."""
    if isinstance(value, Number):
        return dump(value).decode()
    return clean_text(value) if isinstance(value, str) else ""


def _bounded_sent_at(value: SentAt) -> SentAt:
    """What a clock may say; None for what is no time in any unit, and would not fit where the number is kept."""
    if isinstance(value, str):
        return value if len(value) <= MAX_SENT_AT_CHARACTERS else None
    return value if value is not None and abs(value) < MAX_SENT_AT else None
