"""Slack, through an incoming webhook: a message for each event that the owner wrote one for.

Source: Slack's pages "Sending messages using incoming webhooks", "Improving error conditions for Incoming Webhooks"
(statuses and error words), "Formatting text for app surfaces" (escaping), "Rate limits" (one message a second),
"Truncating really long messages" (40,000 characters) and the block reference (50 blocks, 3,000 characters in a section,
150 in a header).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, SecretStr, field_validator

from gateway.config import DestinationSettings
from gateway.config.routing import EventType
from gateway.destinations.classify import classify_by_status, excerpt, in_words
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.selection import Selection, chooser
from gateway.destinations.template import Template, compiled
from gateway.destinations.template_expression import MISSING, written
from gateway.model.event import Event
from gateway.model.outcome import Delivered, Halt, Outcome

MAX_TEXT = 40_000
MAX_BLOCKS = 50
MAX_BLOCK_TEXT = {"section": 3000, "header": 150}
HALTING_STATUSES = frozenset({404, 410})
HALTING_WORDS = frozenset(
    {
        "action_prohibited",
        "channel_is_archived",
        "channel_not_found",
        "invalid_token",
        "no_active_hooks",
        "no_service",
        "no_team",
        "posting_to_general_channel_denied",
        "team_disabled",
        "user_not_found",
    }
)
"""What Slack says of the webhook, and not of a message: it leads to one channel, so no other message would arrive."""

_URL = re.compile(r"https?://[^/\s?#]+\S*")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_HALF_ESCAPE = re.compile(r"&[a-z]{0,3}$")


def escaped(value: Any, _key: str = "") -> str:
    """What an event brings, as text that names nobody and links to nothing."""
    return "" if value is MISSING else written(value).translate(_ESCAPES)


def _in_block(value: Any, key: str) -> Any:
    """Slack parses texts alone; addresses it takes as they are."""
    if key == "text":
        return escaped(value)
    return value if value is MISSING else written(value)


def _text(value: Any) -> Template:
    if not isinstance(value, str):
        raise ValueError("write a text in quotes")  # noqa: TRY004 - pydantic turns ValueError alone into a fault
    return compiled(value, escaped)


def _blocks(value: Any) -> Template:
    if not isinstance(value, list) or not all(isinstance(block, dict) for block in value):
        raise ValueError("write a list of tables, as Slack's Block Kit Builder shows them")
    if len(value) > MAX_BLOCKS:
        raise ValueError(f"Slack takes at most {MAX_BLOCKS} blocks")
    return compiled(value, _in_block)


_Source = PlainSerializer(lambda template: template.source)


class SlackMessage(Selection):
    """What is written for some events."""

    types: tuple[EventType, ...] = ("track",)
    text: Annotated[Template, PlainValidator(_text), _Source]
    blocks: Annotated[Template, PlainValidator(_blocks), _Source] | None = None


class SlackSettings(DestinationSettings):
    """Where to write what."""

    type: Literal["slack"] = "slack"
    url: SecretStr
    """The webhook's address, which is a secret: who knows it can write to the channel."""
    messages: tuple[SlackMessage, ...] = Field(min_length=1)
    """What is written: the first whose `types`, `events` and `where` fit an event. Other events are not told."""
    requests_per_second: float = Field(default=1, ge=0)
    """Slack takes one message a second, and a few more in short bursts."""
    concurrency: int = Field(default=1, ge=1, le=64)
    """With one request at a time, messages stand in the channel in the order of the events."""

    @field_validator("url")
    @classmethod
    def _url_is_one(cls, url: SecretStr) -> SecretStr:
        if not _URL.fullmatch(url.get_secret_value()):
            raise ValueError('write the address that Slack shows, like "https://hooks.slack.com/services/..."')
        return url

    @cached_property
    def choose(self) -> Callable[[Event], SlackMessage | None]:
        """Finds what is written for an event."""
        return chooser(self.messages)


def map_event(event: Event, settings: SlackSettings) -> Sequence[Message]:
    """The owner's words for the event, cut to what Slack takes; nothing where there are none."""
    chosen = settings.choose(event)
    text = chosen.text.render(event) if chosen else ""
    if chosen is None or not text.strip():
        return []
    blocks = chosen.blocks.render(event) if chosen.blocks else []
    told = {"text": text, "blocks": blocks} if isinstance(blocks, list) and blocks else {"text": text}
    taken = fitting(told)
    return [Message(taken, repairs=() if taken == told else ("cut",))]


def fitting(told: dict[str, Any]) -> dict[str, Any]:
    """A message within Slack's limits."""
    taken = {**told, "text": cut(told["text"], MAX_TEXT)}
    if "blocks" in told:
        taken["blocks"] = [_fitting_block(block) for block in told["blocks"][:MAX_BLOCKS]]
    return taken


def _fitting_block(block: dict[str, Any]) -> dict[str, Any]:
    text, longest = block.get("text"), MAX_BLOCK_TEXT.get(block.get("type", ""), MAX_TEXT)
    if not isinstance(text, Mapping) or not isinstance(text.get("text"), str):
        return block
    return {**block, "text": {**text, "text": cut(text["text"], longest)}}


def cut(text: str, longest: int) -> str:
    """At most so many characters, no escape being cut in two."""
    return text if len(text) <= longest else _HALF_ESCAPE.sub("", text[:longest])


def request(payloads: Sequence[Payload], settings: SlackSettings, _sending: Sending) -> Request:
    """One message."""
    return Request(settings.url.get_secret_value(), payloads[0].body, {"content-type": "application/json"})


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """The default table, but what speaks of the webhook and not of the message needs the owner."""
    outcome = classify_by_status(response)
    speaks_of_the_webhook = response.status in HALTING_STATUSES or excerpt(response) in HALTING_WORDS
    if not isinstance(outcome, Delivered) and (speaks_of_the_webhook or response.status // 100 == 3):  # noqa: PLR2004 - the class of redirects
        return Halt(in_words(response))
    return outcome


SLACK = Destination(
    settings=SlackSettings,
    title="Slack",
    map=map_event,
    request=request,
    classify=classify,
    unasked="there is no request that tries a webhook without writing into the channel",
)
