"""One line of an object: an event as it was accepted, and what the gateway knew beside it.

    {"offset":7,"source":"web","receivedAt":"2026-11-25T12:00:00.000Z","sentAt":..,"ip":"..","userAgent":"..","event":{..}}

`sentAt`, `ip`, `userAgent`, `cookies` (a table) and `refused` are left out where there is nothing to say. `event` is
the client's own JSON, byte for byte but for line breaks between its parts. `decode` gives back all that the queue had.
"""

import json
from datetime import timedelta
from typing import Any

import msgspec
import orjson

from gateway.model.envelope import Envelope, Stored
from gateway.model.event import from_epoch_ms, parse_time, to_iso

_EPOCH = from_epoch_ms(0)
_MILLISECOND = timedelta(milliseconds=1)


class _Line(msgspec.Struct, rename="camel"):
    offset: int
    source: str
    received_at: str
    event: msgspec.Raw
    sent_at: str | int | float | None = None
    ip: str = ""
    user_agent: str = ""
    cookies: dict[str, str] = msgspec.field(default_factory=dict)
    refused: bool = False


def facts_of(envelope: Envelope) -> bytes:
    """What stands between the offset and the event: the same for all events of one request."""
    facts: dict[str, Any] = {"source": envelope.source, "receivedAt": to_iso(from_epoch_ms(envelope.received_at_ms))}
    if envelope.sent_at is not None:
        facts["sentAt"] = envelope.sent_at
    if envelope.ip:
        facts["ip"] = envelope.ip
    if envelope.user_agent:
        facts["userAgent"] = envelope.user_agent
    if envelope.cookies:
        facts["cookies"] = dict(envelope.cookies)
    if envelope.is_refused:
        facts["refused"] = True
    return b",%b," % _json(facts)[1:-1]


def line_of(offset: int, facts: bytes, raw: bytes) -> bytes:
    """With its line break. In valid JSON a break can only stand between its parts, where a space means the same."""
    if b"\n" in raw or b"\r" in raw:
        raw = raw.replace(b"\n", b" ").replace(b"\r", b" ")
    return b'{"offset":%d%b"event":%b}\n' % (offset, facts, raw)


def decode(line: bytes) -> Stored:
    """What lay in the queue. Raises ValueError for what is no line of an archive."""
    found = msgspec.json.decode(line, type=_Line)
    received_at = parse_time(found.received_at)
    if received_at is None:
        raise ValueError(f"receivedAt is no time: {found.received_at}")
    received_at_ms = (received_at - _EPOCH) // _MILLISECOND
    cookies = tuple(found.cookies.items())
    envelope = Envelope(found.source, received_at_ms, found.sent_at, found.ip, found.user_agent, cookies, found.refused)
    return Stored(found.offset, bytes(found.event), envelope)


def _json(facts: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(facts)
    except TypeError:  # a number beyond 64 bits
        return json.dumps(facts, separators=(",", ":"), ensure_ascii=False).encode()
