"""What Segment and RudderStack have in common: events go on as they came, in batches, and never in circles.

Source: Segment's pages "HTTP API source" (batches, limits, errors) and "Spec: Common fields" (timestamps),
RudderStack's "HTTP API", and the clients that the two publish for Python, which send the same bodies.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import SecretStr

from gateway.config import DestinationSettings
from gateway.config.units import BaseUrl
from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.fields import as_text
from gateway.destinations.http_messages import Request
from gateway.model.event import Event, from_epoch_ms, to_iso

MAX_EVENT_BYTES = 32 * 1024
MAX_MESSAGE_ID = 100
ENVELOPE_BYTES = 64
"""What stands around the events of a batch: its braces, and the time it was sent."""


class ForwardSettings(DestinationSettings):
    """What both need."""

    base_url: BaseUrl
    write_key: SecretStr
    """The write key of the source that is to have the events."""
    forwarded_by: str = "headwater"
    """What this gateway is called in `context.forwardedBy`. An event that came with the name is not sent again, so
    events cannot go in circles; give each gateway of a chain a name of its own."""


def forwarded(event: Event, settings: ForwardSettings, leave_out: frozenset[str]) -> Sequence[Message]:
    """The event with our name added; nothing where it bears it already, or belongs to nobody, which neither takes.

    Raises ValueError where it is larger than what they take.
    """
    context = event["context"]
    names = _names(context.get("forwardedBy"))
    if settings.forwarded_by in names or not (_is_id(event.get("userId")) or _is_id(event.get("anonymousId"))):
        return []
    body = {key: value for key, value in event.items() if key not in leave_out}
    body["messageId"], repairs = _message_id(event["messageId"])
    body["context"] = {**context, "forwardedBy": [*names, settings.forwarded_by]}
    if (size := len(orjson.dumps(body))) > MAX_EVENT_BYTES:
        raise ValueError(f"{size} bytes, accepted are {MAX_EVENT_BYTES}")
    return [Message(body, repairs=repairs)]


def batch(payloads: Sequence[Payload], settings: ForwardSettings, sending: Sending) -> Request:
    """All of them at once. `sentAt` is of this attempt, by our clock, as the events' `timestamp` is."""
    events = b",".join(payload.body for payload in payloads)
    sent_at = to_iso(from_epoch_ms(sending.now_ms)).encode()
    credentials = base64.b64encode(f"{settings.write_key.get_secret_value()}:".encode()).decode()
    return Request(
        f"{settings.base_url}/v1/batch",
        b'{"batch":[' + events + b'],"sentAt":"' + sent_at + b'"}',
        {"content-type": "application/json", "authorization": f"Basic {credentials}"},
    )


def _names(said: Any) -> list[str]:
    return [name for name in (said if isinstance(said, list) else [said]) if isinstance(name, str)]


def _is_id(value: Any) -> bool:
    return bool(as_text(value))


def _message_id(message_id: str) -> tuple[str, Sequence[str]]:
    if len(message_id) < MAX_MESSAGE_ID:
        return message_id, ()
    return f"hash-{hashlib.sha256(message_id.encode()).hexdigest()}", ("message_id_hashed",)
