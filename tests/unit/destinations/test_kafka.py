"""Kafka: which settings make sense, and what a broker's errors mean."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations import Payload, Response
from gateway.destinations.kafka import KAFKA, KafkaSettings, classify
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

LOG_IN = {"sasl_mechanism": "PLAIN", "username": "shop", "password": "s3cret"}


def kafka(**given: Any) -> KafkaSettings:
    return KafkaSettings.model_validate({"brokers": ["kafka-1.example:9092"], **given})


def outcome(*said: str | None) -> Outcome:
    return classify(Response(200, {}, orjson.dumps(said)), [Payload(str(n), b"{}") for n in range(len(said))])


@pytest.mark.parametrize(
    "name",
    [
        "CLUSTER_AUTHORIZATION_FAILED",
        "SASL_AUTHENTICATION_FAILED: Authentication failed: Invalid username or password",
        "TOPIC_AUTHORIZATION_FAILED",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_SASL_MECHANISM",
    ],
)
def test_what_only_the_owner_can_change_pauses_the_destination(name: str):
    assert outcome(name, name) == Halt(name)


@pytest.mark.parametrize("name", ["INVALID_RECORD", "MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"])
def test_a_record_that_the_broker_will_never_take_is_refused_alone(name: str):
    assert outcome(None, name) == Partial([Delivered(), Reject(name)])


@pytest.mark.parametrize(
    "name",
    [
        "CORRUPT_MESSAGE",
        "ERROR_1234",
        "LEADER_NOT_AVAILABLE",
        "NETWORK_EXCEPTION: no answer from kafka-1.example:9092",
        "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        "NOT_LEADER_OR_FOLLOWER",
        "OUT_OF_ORDER_SEQUENCE_NUMBER",
        "REQUEST_TIMED_OUT",
        "THROTTLING_QUOTA_EXCEEDED",
        "UNKNOWN_TOPIC_OR_PARTITION: events",
    ],
)
def test_every_other_error_may_pass(name: str):
    assert outcome(None, name) == Partial([Delivered(), Retry(name)])


@pytest.mark.parametrize("topic", ["events", "a.b_c-D9", "{type}", "shop.{type}.{event}"])
def test_topics_are_names_of_kafka_with_placeholders(topic: str):
    assert kafka(topic=topic, topics={"Order Completed": topic}).topic == topic


@pytest.mark.parametrize("topic", ["", ".", "..", "two words", "ü", "{name}", "{type", "a/b", "x" * 141])
def test_no_other_name_is_a_topic(topic: str):
    with pytest.raises(ValidationError):
        kafka(topic=topic)
    with pytest.raises(ValidationError):
        kafka(topics={"Order Completed": topic})


def test_the_longest_topic_is_one_that_kafka_takes():
    longest = kafka(topic="x" * 132 + ".{event}")

    (message,) = KAFKA.map({"type": "track", "event": "y" * 500, "messageId": "m"}, longest)

    assert len(message.body["topic"]) <= 249


@pytest.mark.parametrize(
    "brokers", [[], ["kafka-1.example"], ["kafka://kafka-1.example:9092"], ["a:9092,b:9092"], [""]]
)
def test_brokers_are_hosts_with_ports(brokers: list[str]):
    with pytest.raises(ValidationError):
        kafka(brokers=brokers)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"sasl_mechanism": "PLAIN"}, "PLAIN needs username and password"),
        ({"sasl_mechanism": "PLAIN", "username": "shop"}, "PLAIN needs username and password"),
        ({"username": "shop", "password": "s3cret"}, "set sasl_mechanism"),
        ({**LOG_IN, "sasl_mechanism": "GSSAPI"}, "PLAIN"),
        ({"ca_file": __file__}, "set tls = true"),
        ({"tls": True, "certificate_file": __file__}, "belong together"),
        ({"tls": True, "key_file": __file__}, "belong together"),
    ],
)
def test_half_a_log_in_is_refused_in_words(given: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        kafka(**given)


def test_no_secret_is_shown():
    chosen = kafka(**LOG_IN)

    assert "s3cret" not in repr(chosen)
    assert "s3cret" not in str(chosen)
    assert "s3cret" not in chosen.model_dump_json()


def test_client_certificates_are_files(tmp_path: Path):
    with pytest.raises(ValidationError):
        kafka(tls=True, ca_file=tmp_path / "no-such-file.pem")
