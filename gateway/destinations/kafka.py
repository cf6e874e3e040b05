"""Apache Kafka, and what speaks its protocol: each event becomes a record, keyed by person.

Source: the Kafka protocol guide ("Error codes": names, and which of them may pass), the broker and topic configurations
(`max.message.bytes`), and the naming rule of topics (letters, digits, `.`, `_`, `-`, at most 249).
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from gateway.config import BatchSettings
from gateway.config.texts import like
from gateway.destinations.broker import BrokerSettings, check_template, publication, record_of, topic_of, verdicts
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Publication, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject, Retry

MAX_BATCH_EVENTS = 10_000
DEFAULT_BATCH = BatchSettings(max_events=500, max_bytes=1_000_000)
"""A broker takes 1,048,588 bytes at once, unless its `message.max.bytes` says otherwise."""

_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,140}")

REFUSES_RECORD = frozenset({"MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TOPIC_EXCEPTION"})
"""The broker will never take this record."""
NEEDS_OWNER = frozenset(
    {
        "CLUSTER_AUTHORIZATION_FAILED",
        "ILLEGAL_SASL_STATE",
        "SASL_AUTHENTICATION_FAILED",
        "SECURITY_DISABLED",
        "TOPIC_AUTHORIZATION_FAILED",
        "UNSUPPORTED_COMPRESSION_TYPE",
        "UNSUPPORTED_FOR_MESSAGE_FORMAT",
        "UNSUPPORTED_SASL_MECHANISM",
        "UNSUPPORTED_VERSION",
    }
)
"""Nothing will be taken until the owner changes settings, here or there. Every other error may pass."""


def _template(template: str) -> str:
    return check_template(template, _TOPIC)


Broker = Annotated[
    str, like(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}", 'write a host and a port, like "kafka.example:9092"')
]
Template = Annotated[str, AfterValidator(_template)]


class KafkaSettings(BrokerSettings):
    """Which cluster, which topics, and how to log in."""

    type: Literal["kafka"] = "kafka"
    brokers: tuple[Broker, ...] = Field(min_length=1)
    """Brokers to begin with, like "kafka-1.example:9092"; they name the others."""
    topic: Template = "events"
    """The topic. `{type}` stands for the call ("identify"), `{event}` for the name of a track, in lower case, with `_`
    between its words, else for the call."""
    topics: dict[str, Template] = Field(default={})
    """Topics of their own, by the name of a track ("Order Completed"), else by the call ("identify")."""
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "zstd"
    """How batches are compressed; brokers know "zstd" since Kafka 2.1."""
    client_id: Annotated[
        str, like(r"[A-Za-z0-9._-]{1,100}", 'write up to 100 letters, digits, ., _ and -, like "headwater"')
    ] = "headwater"
    """The name that the broker's quotas and logs know the gateway by."""
    sasl_mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    """How to log in; empty: not at all."""
    username: str = ""
    """Who logs in."""
    password: SecretStr | None = None
    """And their password."""
    batch: BatchSettings = DEFAULT_BATCH
    """Records handed over at once. An event above `batch.max_bytes` becomes a dead letter: keep it below the topic's
    `max.message.bytes`."""

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        said = bool(self.username) + (self.password is not None)
        if self.sasl_mechanism and said != 2:  # noqa: PLR2004 - both of them
            raise ValueError(f"{self.sasl_mechanism} needs username and password; set both")
        if said and not self.sasl_mechanism:
            raise ValueError("username and password are for a log-in; set sasl_mechanism")
        return self


def map_event(event: Event, settings: KafkaSettings) -> Sequence[Message]:
    """The canonical event itself."""
    headers = {"message_id": event["messageId"], "type": event["type"]}
    return [record_of(event, topic_of(event, settings.topic, settings.topics), headers)]


def request(payloads: Sequence[Payload], _settings: KafkaSettings, _sending: Sending) -> Publication:
    """All of them, in their order."""
    return publication(payloads)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """By the name of the error, which may be followed by a colon and words."""
    return verdicts(response, payloads, _judge)


def _judge(said: Any) -> Retry | Reject | Halt:
    reason = str(said)
    name = reason.partition(":")[0]
    if name in REFUSES_RECORD:
        return Reject(reason)
    return Halt(reason) if name in NEEDS_OWNER else Retry(reason)


KAFKA = Destination(
    settings=KafkaSettings,
    title="Kafka",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=MAX_BATCH_EVENTS,
    unasked="brokers are not connected to before there is a record to produce",
)
