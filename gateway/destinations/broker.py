"""What kinds share that publish to a broker: topics, records, TLS, and reading what it said of each record.

Such a kind's messages hold the record's topic, key and headers beside the event. `publication` takes them apart without
decoding the event, whose bytes become the record's value.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec
import orjson
from pydantic import FilePath, model_validator

from gateway.config import DestinationSettings
from gateway.destinations.classify import classify_by_status
from gateway.destinations.contract import Message, Payload
from gateway.destinations.fields import as_text
from gateway.destinations.http_messages import Publication, Record, Response
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

MAX_WORD_CHARACTERS = 100
NAMELESS = "other"
"""Stands for an event name without a letter or digit of ASCII."""

_NOT_IN_A_WORD = re.compile(r"[^a-z0-9-]+")
_PLACEHOLDER = re.compile(r"\{(?:type|event)\}")


class BrokerSettings(DestinationSettings):
    """How the connection is secured."""

    tls: bool = False
    """Encrypt the connection, and verify the broker's certificate and name."""
    ca_file: FilePath | None = None
    """Certificates (PEM) that the broker's must be signed by; without it, those that the system trusts."""
    certificate_file: FilePath | None = None
    """A client certificate (PEM), where the broker asks for one."""
    key_file: FilePath | None = None
    """The private key (PEM, without a password) of that certificate."""

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if not self.tls and (self.ca_file or self.certificate_file or self.key_file):
            raise ValueError("ca_file, certificate_file and key_file are for TLS; set tls = true")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together; set both")
        return self


class _Addressed(msgspec.Struct):
    """A message's JSON, its value left as it is."""

    topic: str
    key: str
    headers: dict[str, str]
    value: msgspec.Raw


def check_template(template: str, words: re.Pattern[str]) -> str:
    """The template, when it is `words` and placeholders."""
    if not words.fullmatch(_PLACEHOLDER.sub("x", template)):
        raise ValueError(
            f'"{template}" is no name that the broker takes; beside its characters, use {{type}} or {{event}}'
        )
    return template


def topic_of(event: Event, template: str, by_name: Mapping[str, str]) -> str:
    """Where the event goes: by its own name, where that is listed, else by the template."""
    name = called(event)
    chosen = by_name.get(name, template)
    return chosen.replace("{type}", event["type"]).replace("{event}", word(name))


def called(event: Event) -> str:
    """The name of what happened: of a track its event, else the call."""
    name = as_text(event.get("event")) if event["type"] == "track" else None
    return name or str(event["type"])


def word(name: str) -> str:
    """A name as a part of a topic: "Order Completed" is order_completed."""
    return _NOT_IN_A_WORD.sub("_", name.lower()).strip("_")[:MAX_WORD_CHARACTERS] or NAMELESS


def record_of(event: Event, topic: str, headers: Mapping[str, str]) -> Message:
    """The event as a record, under the key of whose order it belongs to: the user, else the visitor, else nobody."""
    key = as_text(event.get("userId")) or as_text(event.get("anonymousId")) or event["messageId"]
    return Message({"topic": topic, "key": key, "headers": headers, "value": event})


def publication(payloads: Sequence[Payload]) -> Publication:
    """What `record_of` made, as records."""
    found = [msgspec.json.decode(payload.body, type=_Addressed) for payload in payloads]
    return Publication([Record(each.topic, each.key, bytes(each.value), each.headers) for each in found])


def verdicts(response: Response, payloads: Sequence[Payload], judge: Callable[[Any], Retry | Reject | Halt]) -> Outcome:
    """One outcome for each record; one for all where the broker as a whole is at fault.

    A record that the owner must act for pauses the destination, unless the broker took others: then it is tried again,
    and they are not told twice.
    """
    if response.status != 200:  # noqa: PLR2004 - what a Publication is answered with
        return classify_by_status(response)
    said = _said(response.body, len(payloads))
    if said is None:
        return Retry("the answer makes no sense")
    items = [Delivered() if each is None else judge(each) for each in said]
    troubles = [item for item in items if isinstance(item, Retry | Halt)]
    if troubles and len(troubles) == len(items):
        return next((item for item in troubles if isinstance(item, Halt)), troubles[0])
    return Partial([Retry(item.reason) if isinstance(item, Halt) else item for item in items])


def _said(body: bytes, records: int) -> list[Any] | None:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return said if isinstance(said, list) and len(said) == records else None
