"""Consent, the suppression list and privacy rules, enforced on what has arrived and before any of it reaches the disk.
The rules are govern's."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from gateway.collect.digest import Digest
from gateway.collect.exchange import Exchange
from gateway.collect.fields import UNREADABLE, decode_consent, decode_named
from gateway.collect.lenient import RefusedError, clean, dump, load
from gateway.govern import (
    MARKETING,
    ConsentRules,
    Preferences,
    Privacy,
    Suppression,
    is_refusal,
    may_keep,
    understood,
    with_opt_out,
)

SEC_GPC = "Sec-GPC"
DNT = "DNT"
_ID_FIELDS = re.compile(rb'"(userId|previousId|anonymousId)"\s*:\s*("[^"\\]*(?:\\.[^"\\]*)*")')
_MENTION = b'"consent"'


def enforce_consent(result: Digest, rules: ConsentRules, exchange: Exchange) -> tuple[Digest, str]:
    """`result` without the events that may not be kept, and the reason why: "consent", "dnt", or empty.

    An event that may be kept, of a browser with Global Privacy Control, says so afterwards in its own consent.
    """
    if rules.honours_dnt and exchange.header(DNT) == "1":
        return result._replace(message_ids=[], raws=[], is_refused=True), "dnt" if result.raws else ""
    opts_out = rules.honours_gpc and exchange.header(SEC_GPC) == "1"
    if not rules.is_required and not opts_out and not any(_MENTION in raw for raw in result.raws):
        return result, ""
    said = [preferences_of(raw) for raw in result.raws]
    kept = [
        (message_id, _mark(raw) if opts_out else raw)
        for message_id, raw, preferences in zip(result.message_ids, result.raws, said, strict=True)
        if may_keep(preferences, rules)
    ]
    is_withheld = len(kept) < len(result.raws)
    for_owner = sum(map(is_refusal, said)) if rules.keeps_refused else 0
    result = result._replace(message_ids=[each[0] for each in kept], raws=[each[1] for each in kept])
    result = result._replace(is_refused=is_withheld or for_owner > 0, for_owner=for_owner)
    return result, "consent" if is_withheld else ""


def drop_suppressed(result: Digest, suppression: Suppression) -> tuple[Digest, int]:
    """`result` without the events of those who asked to be forgotten, and how many those were."""
    if not suppression:
        return result, 0
    kept = [
        (message_id, raw)
        for message_id, raw in zip(result.message_ids, result.raws, strict=True)
        if not _is_suppressed(raw, suppression)
    ]
    withheld = len(result.raws) - len(kept)
    if not withheld:
        return result, 0
    return result._replace(message_ids=[each[0] for each in kept], raws=[each[1] for each in kept]), withheld


def governed(raw: bytes, privacy: Privacy) -> bytes:
    """A settled event as it may be kept. What is read is always written again: of a key that is there twice the bytes
    have both, and a rule sees one."""
    if not privacy.may_touch(raw):
        return raw
    event, _ = load(raw)
    return dump(privacy.applied(event, len(raw)))


def governed_start(body: bytes, privacy: Privacy) -> bytes:
    """The start of a refused event as it may be kept: nothing, where it is not the whole object that rules are for."""
    try:
        event = clean(load(body)[0])[0]
        return dump(privacy.applied(event, len(body))) if isinstance(event, dict) else b""
    except RefusedError:
        return b""


def mentions_suppressed(text: bytes, suppression: Suppression) -> bool:
    """Whether the start of a body, which may be cut or no JSON at all, names one of those as its user or visitor."""
    if not suppression:
        return False
    return any(_says(name, value, suppression) for name, value in _ID_FIELDS.findall(text))


def _says(name: bytes, value: bytes, suppression: Suppression) -> bool:
    try:
        text = orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return suppression.holds((), text) if name == b"anonymousId" else suppression.holds((text,), None)


def _is_suppressed(raw: bytes, suppression: Suppression) -> bool:
    try:
        event = decode_named(raw)
    except UNREADABLE:  # what intake stores has these fields as texts, so this is never met
        return mentions_suppressed(raw, suppression)
    return suppression.holds((event.userId, event.previousId), event.anonymousId)


def preferences_of(raw: bytes) -> Preferences:
    """What the visitor of an event said."""
    if _MENTION not in raw:
        return {}
    try:
        context = decode_consent(raw).context
    except UNREADABLE:
        return {}
    consent = context.consent if context is not None else None
    said = (consent.categoryPreferences if consent is not None else None) or {}
    return understood({category: _value(bytes(word)) for category, word in said.items()})


def _value(word: bytes) -> Any:
    """What cannot be read is no answer, and takes nothing from those beside it."""
    try:
        return orjson.loads(word)
    except orjson.JSONDecodeError:
        return None


def _mark(raw: bytes) -> bytes:
    """The event is read with its numbers as they were written: nothing but the mark may change."""
    event, _ = load(raw)
    context = _object(event.get("context"))
    consent = _object(context.get("consent"))
    preferences = _object(consent.get("categoryPreferences"))
    if preferences.get(MARKETING) is False:
        return raw
    event["context"] = {**context, "consent": {**consent, "categoryPreferences": with_opt_out(preferences)}}
    return dump(event)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
