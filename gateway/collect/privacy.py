"""Consent, enforced on what has arrived and before any of it reaches the disk. The rules are govern's."""

from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs

from gateway.collect.digest import Digest
from gateway.collect.exchange import Exchange
from gateway.collect.fields import UNREADABLE, decode_consent
from gateway.collect.lenient import dump, load
from gateway.govern import ConsentRules, Preferences, may_keep, with_opt_out

SEC_GPC = "Sec-GPC"
DNT = "DNT"
_MENTION = b'"consent"'


def enforce_consent(result: Digest, rules: ConsentRules, exchange: Exchange) -> tuple[Digest, str]:
    """`result` without the events that may not be kept, and the reason why: "consent", "dnt", or empty.

    An event that may be kept, of a browser with Global Privacy Control, says so afterwards in its own consent.
    """
    if rules.honours_dnt and exchange.header(DNT) == "1":
        return result._replace(message_ids=[], raws=[]), "dnt" if result.raws else ""
    opts_out = rules.honours_gpc and exchange.header(hdrs.ORIGIN) is not None and exchange.header(SEC_GPC) == "1"
    if not rules.is_required and not opts_out and not any(_MENTION in raw for raw in result.raws):
        return result, ""
    kept = [
        (message_id, _mark(raw, preferences) if opts_out else raw)
        for message_id, raw in zip(result.message_ids, result.raws, strict=True)
        if may_keep(preferences := _preferences_of(raw), rules)
    ]
    reason = "consent" if len(kept) < len(result.raws) else ""
    return result._replace(message_ids=[each[0] for each in kept], raws=[each[1] for each in kept]), reason


def _preferences_of(raw: bytes) -> Preferences:
    try:
        context = decode_consent(raw).context
    except UNREADABLE:
        return {}
    consent = context.consent if context is not None else None
    return (consent.categoryPreferences if consent is not None else None) or {}


def _mark(raw: bytes, preferences: Preferences) -> bytes:
    wanted = with_opt_out(preferences)
    if wanted == preferences:
        return raw
    event, _ = load(raw)
    context = _object(event.get("context"))
    consent = _object(context.get("consent"))
    event["context"] = {**context, "consent": {**consent, "categoryPreferences": wanted}}
    return dump(event)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
