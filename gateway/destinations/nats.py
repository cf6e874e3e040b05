"""NATS JetStream: each event becomes a message of a stream, in the order of its person.

Source: the NATS documentation, "JetStream: publishing to streams" (acknowledgements, `Nats-Msg-Id` and the window of
duplicates, `Nats-Expected-Stream`), "Subject-based messaging" (characters of subjects), and the server's list of errors
(`server/errors.json`), whose objects are what is read here.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, FilePath, SecretStr, model_validator

from gateway.config import BatchSettings
from gateway.config.texts import like
from gateway.destinations.broker import BrokerSettings, check_template, publication, record_of, topic_of, verdicts
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Publication, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome, Reject, Retry

MAX_BATCH_EVENTS = 10_000
DEFAULT_BATCH = BatchSettings(max_events=500, max_bytes=1_000_000)
"""A server takes messages of 1 MiB, headers included, unless its `max_payload` says otherwise."""

_SUBJECT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_SAFE_ID = re.compile(r"[!-~]{1,256}")

TOO_LARGE = 413
"""The `code` of a message that is above the server's `max_payload`."""
REFUSES_MESSAGE = frozenset({10054, 10097})
"""`err_code`s that say that the stream will never take this message: its size, the size of its headers."""
_CREDENTIALS = frozenset({401, 403})
_NEEDS_OWNER = frozenset({10039, 10060, 10109})
"""JetStream is not enabled for the account, the stream is not the expected one, the stream is sealed."""


def _template(template: str) -> str:
    return check_template(template, _SUBJECT)


Server = Annotated[
    str,
    like(
        r"(nats|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?",
        'write an address that begins with nats:// or tls://, like "nats://nats.example:4222"',
    ),
]
Template = Annotated[str, AfterValidator(_template)]


class NatsSettings(BrokerSettings):
    """Which servers, which subjects, and how to log in."""

    type: Literal["nats"] = "nats"
    servers: tuple[Server, ...] = Field(min_length=1)
    """Servers of one cluster, like "nats://nats-1.example:4222"; any of them will do."""
    subject: Template = "events.{type}"
    """The subject, which a stream must take. `{type}` stands for the call ("identify"), `{event}` for the name of a
    track, in lower case and with `_` between its words, else for the call."""
    subjects: dict[str, Template] = Field(default={})
    """Subjects of their own, by the name of a track ("Order Completed"), else by the call ("identify")."""
    stream: Annotated[str, like(r"[A-Za-z0-9_-]*", 'write letters, digits, - and _ alone, like "EVENTS"')] = ""
    """The stream that must be the one to take them; empty: whichever takes the subject."""
    token: SecretStr | None = None
    """Logs in by a token."""
    username: str = ""
    """Logs in by a name,"""
    password: SecretStr | None = None
    """and its password."""
    credentials_file: FilePath | None = None
    """Logs in by a `.creds` file: a user's JWT and seed."""
    batch: BatchSettings = DEFAULT_BATCH
    """Messages published at once. An event above `batch.max_bytes` becomes a dead letter: keep it below the server's
    `max_payload`."""

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password belong together; set both")
        if bool(self.token) + bool(self.username) + bool(self.credentials_file) > 1:
            raise ValueError("token, username and credentials_file are three ways to log in; set one")
        if any(server.startswith("tls:") for server in self.servers) and not self.tls:
            raise ValueError("a server at tls:// is reached by TLS; set tls = true")
        return self


def map_event(event: Event, settings: NatsSettings) -> Sequence[Message]:
    """The canonical event itself."""
    headers = {"Nats-Msg-Id": dedup_id(event["messageId"]), "type": event["type"]}
    if settings.stream:
        headers["Nats-Expected-Stream"] = settings.stream
    return [record_of(event, topic_of(event, settings.subject, settings.subjects), headers)]


def dedup_id(message_id: str) -> str:
    """The message id; a hash of one that no header can hold."""
    if _SAFE_ID.fullmatch(message_id):
        return message_id
    return f"msg_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def request(payloads: Sequence[Payload], _settings: NatsSettings, _sending: Sending) -> Publication:
    """All of them, in their order."""
    return publication(payloads)


def classify(response: Response, payloads: Sequence[Payload]) -> Outcome:
    """By the `error` object of an acknowledgement: its `code` is one of HTTP, `err_code` says more."""
    return verdicts(response, payloads, _judge)


def refuses_message(said: Any) -> bool:
    """Whether the trouble is the message's alone; any other is met by those that follow it, too."""
    return isinstance(said, Mapping) and (said.get("code") == TOO_LARGE or said.get("err_code") in REFUSES_MESSAGE)


def _judge(said: Any) -> Retry | Reject | Halt:
    error = said if isinstance(said, Mapping) else {"description": said}
    code, number = error.get("code"), error.get("err_code")
    reason = f"{error.get('description')} (error {number})" if number else str(error.get("description"))
    if refuses_message(said):
        return Reject(reason)
    return Halt(reason) if code in _CREDENTIALS or number in _NEEDS_OWNER else Retry(reason)


NATS = Destination(
    settings=NatsSettings,
    title="NATS JetStream",
    map=map_event,
    request=request,
    classify=classify,
    max_batch_events=MAX_BATCH_EVENTS,
    unasked="servers are not connected to before there is a message to publish",
)
