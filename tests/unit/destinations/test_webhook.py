"""The webhook: the canonical event, signed by the Standard Webhooks convention."""

import base64
import hashlib
import hmac
import json

import orjson
import pytest
from pydantic import ValidationError

from gateway.config import BatchSettings
from gateway.destinations.contract import Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.webhook import WEBHOOK, WebhookSettings
from gateway.model.envelope import Envelope
from gateway.model.event import canonical
from gateway.model.outcome import Delivered, Halt, Reject, Retry

URL = "https://hooks.example/in"
NOW = Sending(now_ms=1_614_265_330_500)


def request_of(*payloads: Payload, **settings: object) -> Request:
    return WEBHOOK.request(payloads, WebhookSettings(url=URL, **settings), NOW)


def test_a_single_event_is_posted_as_the_canonical_event():
    stored = {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u1", "properties": {"n": 1}}
    event = canonical(stored, Envelope("web", 1_795_608_000_000, None, "203.0.113.9", "Test/1"))

    (message,) = WEBHOOK.map(event, WebhookSettings(url=URL))
    request = request_of(Payload("m-1", orjson.dumps(message.body)), headers={"Authorization": "Bearer s3cret"})

    assert (request.method, request.url) == ("POST", URL)
    assert request.headers == {
        "Authorization": "Bearer s3cret",
        "content-type": "application/json",
        "webhook-id": "m-1",
        "webhook-timestamp": "1614265330",
    }
    assert json.loads(request.body) == {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m-1",
        "userId": "u1",
        "properties": {"n": 1},
        "timestamp": "2026-11-25T12:00:00.000Z",
        "originalTimestamp": "2026-11-25T12:00:00.000Z",
        "receivedAt": "2026-11-25T12:00:00.000Z",
        "context": {"ip": "203.0.113.9", "userAgent": "Test/1"},
    }


def test_the_signature_is_the_one_of_the_conventions_published_example():
    """Vector of the specification's reference libraries."""
    body = b'{"test": 2432232314}'

    request = request_of(Payload("msg_p5jXN8AQM9LWM0D4loKWxJek", body), secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    assert request.body == body
    assert request.headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("batched", [False, True])
def test_a_receiver_can_verify_the_signature_with_the_shared_secret(batched: bool):
    key = b"0123456789abcdef01234567"
    secret = "whsec_" + base64.b64encode(key).decode()

    request = request_of(Payload("m1", b'{"a":1}'), secret=secret, batched=batched)

    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body.decode()}"
    digest = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_any_text_can_be_the_secret():
    request = request_of(Payload("m1", b"{}"), secret="open sesame")

    digest = hmac.new(b"open sesame", b"m1.1614265330.{}", hashlib.sha256).digest()
    assert request.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


def test_a_batch_is_an_array_with_an_id_that_is_the_same_at_every_attempt():
    payloads = (Payload("m1", b'{"n":1}'), Payload("m2", b'{"n":2}'))

    first, second = request_of(*payloads, batched=True), request_of(*payloads, batched=True)
    other = request_of(payloads[0], batched=True)

    assert json.loads(first.body) == [{"n": 1}, {"n": 2}]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-id"] != other.headers["webhook-id"]


@pytest.mark.parametrize("message_id", ["a.b", "line\nbreak", "ümlaut", "x" * 500, "with space"])
def test_an_id_that_cannot_stand_in_the_signed_header_is_hashed(message_id: str):
    webhook_id = request_of(Payload(message_id, b"{}")).headers["webhook-id"]

    assert webhook_id.startswith("msg_")
    assert "." not in webhook_id
    assert webhook_id.isascii()


def test_one_event_a_request_unless_batches_are_asked_for():
    single = WebhookSettings(url=URL)
    batched = WebhookSettings(url=URL, batched=True, batch=BatchSettings(max_events=250))

    assert WEBHOOK.batch_events(single) == 1
    assert WEBHOOK.batch_events(batched) == 250


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Delivered()),
        (204, Delivered()),
        (301, Halt("HTTP 301")),
        (400, Reject("HTTP 400")),
        (401, Halt("HTTP 401")),
        (404, Reject("HTTP 404")),
        (410, Halt("HTTP 410")),
        (429, Retry("HTTP 429", 7)),
        (500, Retry("HTTP 500", 7)),
    ],
)
def test_the_answer_is_read_as_the_convention_says(status: int, outcome: object):
    assert WEBHOOK.classify(Response(status, {"retry-after": "7"}), []) == outcome


@pytest.mark.parametrize(("status", "kind"), [(302, Halt), (400, Reject), (401, Halt), (410, Halt), (503, Retry)])
def test_what_the_endpoint_says_is_kept_beside_the_status(status: int, kind: type):
    outcome = WEBHOOK.classify(Response(status, {}, b'{"error":\n "no such list"}' + b" x" * 1000), [])

    assert isinstance(outcome, kind)
    assert outcome.reason.startswith(f'HTTP {status}: {{"error": "no such list"}}')
    assert len(outcome.reason) < 320


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("url", "ftp://hooks.example"),
        ("url", "hooks.example/in"),
        ("url", "https:///in"),
        ("url", "https://hooks.example/a b"),
        ("secret", "whsec_not base64!"),
        ("headers", {"webhook-id": "mine"}),
        ("headers", {"Content-Type": "text/plain"}),
        ("headers", {"a b": "x"}),
        ("headers", {"X-Key": "line\r\nbreak"}),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: object):
    with pytest.raises(ValidationError):
        WebhookSettings(**{"url": URL, key: value})


def test_secrets_are_not_shown():
    settings = WebhookSettings(url=URL, secret="whsec_c2VjcmV0", headers={"Authorization": "Bearer s3cret"})

    assert "c2VjcmV0" not in repr(settings)
    assert "s3cret" not in repr(settings)


def test_the_probe_delivers_nothing():
    probe = WEBHOOK.probe(WebhookSettings(url=URL, headers={"Authorization": "Bearer s3cret"}))

    assert (probe.method, probe.body, probe.headers) == ("HEAD", b"", {"Authorization": "Bearer s3cret"})
