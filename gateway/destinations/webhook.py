"""Any HTTP endpoint: the canonical event as JSON, signed by the Standard Webhooks convention.

Source: the Standard Webhooks specification 1.0.0 (headers, signed content, secrets) and "Consumer considerations"
there (a redirect is a failure, 410 means the endpoint is gone).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from gateway.config import DestinationSettings
from gateway.config.texts import like
from gateway.destinations.classify import classify_by_status, in_words
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.headers import checked, revealed
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject, Retry

SECRET_PREFIX = "whsec_"  # noqa: S105 - the convention's marker of a base64 secret, not a secret
MAX_BATCH_EVENTS = 10_000
GONE = 410

_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_OURS = ("content-type", "content-length", "webhook-id", "webhook-timestamp", "webhook-signature")


class WebhookSettings(DestinationSettings):
    """Where to post, and how the receiver knows that it was us."""

    type: Literal["webhook"] = "webhook"
    url: Annotated[
        str,
        like(
            r"https?://[^/\s]+\S*",
            'write an address that begins with http:// or https://, like "https://hooks.example/in"',
        ),
    ]
    """Where to post, http or https."""
    headers: dict[str, SecretStr] = Field(default={})
    """Sent with every request; values are secrets and never shown."""
    secret: SecretStr | None = None
    """Signs each request: `whsec_` and base64, or any text. Without it there is no signature."""
    batched: bool = False
    """Post a JSON array of up to `batch.max_events` events (at most 10,000) instead of one event at a time."""

    @field_validator("secret")
    @classmethod
    def _secret_can_sign(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            signing_key(secret.get_secret_value())
        return secret

    @field_validator("headers")
    @classmethod
    def _headers_are_headers(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        return checked(headers, _OURS)


def map_event(event: Event, _settings: WebhookSettings) -> Sequence[Message]:
    """The canonical event itself."""
    return [Message(event)]


def request(payloads: Sequence[Payload], settings: WebhookSettings, sending: Sending) -> Request:
    """One event as an object, or a batch as an array; the id is the same at every attempt."""
    bodies = [payload.body for payload in payloads]
    body = b"[" + b",".join(bodies) + b"]" if settings.batched else bodies[0]
    headers = revealed(settings.headers)
    headers["content-type"] = "application/json"
    headers["webhook-id"] = webhook_id([payload.message_id for payload in payloads])
    headers["webhook-timestamp"] = str(sending.now_ms // 1000)
    if settings.secret is not None:
        key = signing_key(settings.secret.get_secret_value())
        headers["webhook-signature"] = signature(key, headers["webhook-id"], headers["webhook-timestamp"], body)
    return Request(settings.url, body, headers)


def webhook_id(message_ids: Sequence[str]) -> str:
    """The message id of a single event; a hash for a batch, and for an id that cannot stand in a header."""
    if len(message_ids) == 1 and _SAFE_ID.fullmatch(message_ids[0]):
        return message_ids[0]
    digest = hashlib.sha256("\n".join(message_ids).encode()).hexdigest()
    return f"msg_{digest[:32]}"


def signature(key: bytes, message_id: str, timestamp_s: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    signed = b".".join((message_id.encode(), timestamp_s.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def signing_key(secret: str) -> bytes:
    """The key's bytes. Raises ValueError where `whsec_` is not followed by base64."""
    if not secret.startswith(SECRET_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("whsec_ must be followed by base64; write the secret as the receiver shows it") from error


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """The default table, in the peer's own words.

    A redirect and 410 speak of the address and not of the event: only the owner can act.
    """
    if response.status // 100 == 3 or response.status == GONE:  # noqa: PLR2004 - the class of redirects
        return Halt(in_words(response))
    outcome = classify_by_status(response)
    return replace(outcome, reason=in_words(response)) if isinstance(outcome, Retry | Reject | Halt) else outcome


def probe(settings: WebhookSettings) -> Request:
    """HEAD, with the owner's headers: shows a wrong address or refused credentials, and delivers nothing."""
    return Request(settings.url, b"", revealed(settings.headers), method="HEAD")


WEBHOOK = Destination(
    settings=WebhookSettings,
    title="Webhook",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=lambda settings, _key: MAX_BATCH_EVENTS if settings.batched else 1,
    probe=probe,
)
