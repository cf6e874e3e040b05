"""NATS JetStream: which settings make sense, and what a server's errors mean."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations import Payload, Response
from gateway.destinations.nats import NatsSettings, classify, dedup_id
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

LOG_IN = {"username": "shop", "password": "s3cret"}


def nats(**given: Any) -> NatsSettings:
    return NatsSettings.model_validate({"servers": ["nats://nats-1.example:4222"], **given})


def outcome(*said: Any) -> Outcome:
    return classify(Response(200, {}, orjson.dumps(said)), [Payload(str(n), b"{}") for n in range(len(said))])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 401, "description": "nats: 'Authorization Violation'"}, "nats: 'Authorization Violation'"),
        ({"code": 403, "description": "permissions violation"}, "permissions violation"),
        (
            {"code": 400, "err_code": 10060, "description": "expected stream does not match"},
            "expected stream does not match (error 10060)",
        ),
        (
            {"code": 503, "err_code": 10039, "description": "JetStream not enabled for account"},
            "JetStream not enabled for account (error 10039)",
        ),
        (
            {"code": 400, "err_code": 10109, "description": "invalid operation on sealed stream"},
            "invalid operation on sealed stream (error 10109)",
        ),
    ],
)
def test_what_only_the_owner_can_change_pauses_the_destination(error: dict[str, Any], reason: str):
    assert outcome(error) == Halt(reason)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 413, "description": "above the server's limit"}, "above the server's limit"),
        (
            {"code": 400, "err_code": 10054, "description": "message size exceeds maximum allowed"},
            "message size exceeds maximum allowed (error 10054)",
        ),
        (
            {"code": 400, "err_code": 10097, "description": "header size exceeds maximum allowed of 64k"},
            "header size exceeds maximum allowed of 64k (error 10097)",
        ),
    ],
)
def test_a_message_that_the_stream_will_never_take_is_refused_alone(error: dict[str, Any], reason: str):
    assert outcome(None, error) == Partial([Delivered(), Reject(reason)])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 503, "description": "no stream takes events.track"}, "no stream takes events.track"),
        (
            {"code": 503, "err_code": 10077, "description": "maximum messages exceeded"},
            "maximum messages exceeded (error 10077)",
        ),
        (
            {"code": 400, "err_code": 10002, "description": "resource limits exceeded for account"},
            "resource limits exceeded for account (error 10002)",
        ),
        ({"code": "x"}, "None"),
        ("words", "words"),
        (17, "17"),
    ],
)
def test_every_other_error_may_pass(error: Any, reason: str):
    assert outcome(None, error) == Partial([Delivered(), Retry(reason)])


@pytest.mark.parametrize("message_id", ["m-1", "0198c5e2-7a1f-7c3e-b1d1-5d1f0c9e2a11", "a.b:c/d", "x" * 256])
def test_the_dedup_id_is_the_message_id(message_id: str):
    assert dedup_id(message_id) == message_id


@pytest.mark.parametrize("message_id", ["two words", " m", "m\r\nX-Injected: 1", "é", "x" * 257])
def test_a_message_id_that_no_header_holds_becomes_a_hash_that_is_always_the_same(message_id: str):
    assert dedup_id(message_id) == dedup_id(message_id)
    assert dedup_id(message_id).startswith("msg_")
    assert dedup_id(message_id) != dedup_id(message_id + "x")


@pytest.mark.parametrize("subject", ["events", "a.b_c-D9", "{type}", "shop.{type}.{event}"])
def test_subjects_are_words_between_dots_with_placeholders(subject: str):
    assert nats(subject=subject, subjects={"Order Completed": subject}).subject == subject


@pytest.mark.parametrize("subject", ["", ".", "a.", ".a", "a..b", "a.*", "a.>", "two words", "{name}"])
def test_nothing_else_is_a_subject(subject: str):
    with pytest.raises(ValidationError):
        nats(subject=subject)
    with pytest.raises(ValidationError):
        nats(subjects={"Order Completed": subject})


@pytest.mark.parametrize(
    "servers", [[], ["nats-1.example:4222"], ["http://nats-1.example"], ["nats://shop:s3cret@nats-1.example"]]
)
def test_servers_are_addresses_without_credentials(servers: list[str]):
    with pytest.raises(ValidationError):
        nats(servers=servers)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"username": "shop"}, "belong together"),
        ({"password": "s3cret"}, "belong together"),
        ({**LOG_IN, "token": "s3cret"}, "three ways to log in"),
        ({**LOG_IN, "credentials_file": __file__}, "three ways to log in"),
        ({"servers": ["tls://nats-1.example"]}, "set tls = true"),
        ({"ca_file": __file__}, "set tls = true"),
    ],
)
def test_a_log_in_that_makes_no_sense_is_refused_in_words(given: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        nats(**given)


def test_no_secret_is_shown():
    for chosen in (nats(**LOG_IN), nats(token="s3cret")):
        assert "s3cret" not in repr(chosen)
        assert "s3cret" not in str(chosen)
        assert "s3cret" not in chosen.model_dump_json()
