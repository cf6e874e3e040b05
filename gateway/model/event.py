"""The canonical event: the Segment spec with the gateway's own facts filled in.

Source of the field names: Segment's public spec, "Common fields" and one page for each call.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.model.envelope import Envelope

EVENT_TYPES = ("track", "page", "screen", "identify", "group", "alias")

SKEW_TOLERANCE = timedelta(seconds=60)
"""Less than this between the client's clock and ours is network delay or a stale `sentAt`; correcting by it would
reorder a funnel."""

FUTURE_TOLERANCE = timedelta(hours=24)
OLDEST_TIMESTAMP = datetime(1970, 1, 1, tzinfo=UTC)

Event = dict[str, Any]
"""A decoded event in the shape of the Segment spec."""


def canonical(event: Mapping[str, Any], envelope: Envelope) -> Event:
    """The event as destinations see it: times corrected, `receivedAt`, ip, user agent and cookies filled in.

    `event` is what intake stored, decoded: `messageId` and `type` are strings. The argument is not changed.
    The client's own times stay in `originalTimestamp` and `sentAt`.
    """
    received_at = from_epoch_ms(envelope.received_at_ms)
    claimed = event.get("originalTimestamp") or event.get("timestamp")
    sent_at = envelope.sent_at if envelope.sent_at is not None else event.get("sentAt")
    result = dict(event)
    result["receivedAt"] = to_iso(received_at)
    result["timestamp"] = to_iso(corrected_timestamp(event, envelope))
    result["originalTimestamp"] = claimed if claimed is not None else result["timestamp"]
    if sent_at is not None:
        result["sentAt"] = sent_at
    result["context"] = _context(event.get("context"), envelope)
    return result


def corrected_timestamp(event: Mapping[str, Any], envelope: Envelope) -> datetime:
    """When the event happened, by our clock.

    `receivedAt - (sentAt - originalTimestamp)` when both client times parse and the clocks differ by more than
    SKEW_TOLERANCE; otherwise the client's time. An explicit `timestamp` beside an `originalTimestamp` is history that
    the owner gave, and is kept as it is (RudderStack's rule). More than a day ahead of us, before 1970, or
    unreadable: the time of receipt.
    """
    received_at = from_epoch_ms(envelope.received_at_ms)
    explicit = parse_time(event.get("timestamp")) if event.get("originalTimestamp") is not None else None
    happened = explicit or claimed_time(event)
    if happened is None:
        return received_at
    sent_at = parse_time(envelope.sent_at if envelope.sent_at is not None else event.get("sentAt"))
    since_received = happened - received_at
    if explicit is None and sent_at is not None and abs(received_at - sent_at) > SKEW_TOLERANCE:
        since_received = happened - sent_at
    if OLDEST_TIMESTAMP - received_at <= since_received <= FUTURE_TOLERANCE:
        return received_at + since_received
    return received_at


def claimed_time(event: Mapping[str, Any]) -> datetime | None:
    """When the event happened, by the client's clock; None when it does not say, or nothing that can be read."""
    return parse_time(event.get("originalTimestamp")) or parse_time(event.get("timestamp"))


def parse_time(value: object) -> datetime | None:
    """An ISO 8601 string or epoch milliseconds (number or string of digits) as an aware datetime; None if unreadable.

    A date without a time zone is UTC. Years outside 0001..9999 are unreadable.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _from_epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return _from_epoch(int(text)) if len(text) >= _EPOCH_MIN_DIGITS else None
    try:
        parsed = datetime.fromisoformat(text)
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def from_epoch_ms(epoch_ms: int) -> datetime:
    """Milliseconds since the epoch as an aware datetime."""
    return _EPOCH + timedelta(milliseconds=epoch_ms)


def to_iso(moment: datetime) -> str:
    """An aware datetime in the form that the SDKs use: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST_MS = 1e11
_EPOCH_MIN_DIGITS = 9  # fewer digits are a year or a date, not a time since the epoch


def _from_epoch(value: float) -> datetime | None:
    """Seconds up to the year 5138, milliseconds above: no client means the year 5138 or January 1970."""
    try:
        return _EPOCH + timedelta(milliseconds=value if abs(value) >= _SMALLEST_MS else value * 1000)
    except (OverflowError, ValueError):
        return None


def _context(context: object, envelope: Envelope) -> dict[str, Any]:
    """The client's context, with ip, user agent and cookies from the connection where the client gave none."""
    filled = dict(context) if isinstance(context, Mapping) else {}
    if envelope.ip and not filled.get("ip"):
        filled["ip"] = envelope.ip
    if envelope.user_agent and not filled.get("userAgent"):
        filled["userAgent"] = envelope.user_agent
    if envelope.cookies:
        own = filled.get("cookies") or {}
        filled["cookies"] = {**dict(envelope.cookies), **own} if isinstance(own, Mapping) else own
    return filled
