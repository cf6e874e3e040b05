"""Prints each event to standard output, one JSON line for each: to look at while setting up, or to pipe into jq.

The canonical event without the bulk of its context.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from gateway.config import DestinationSettings
from gateway.destinations.contract import Destination, Message, Payload, Sending
from gateway.destinations.http_messages import Request
from gateway.model.event import Event

SHOWN = (
    "timestamp",
    "type",
    "event",
    "name",
    "userId",
    "anonymousId",
    "groupId",
    "previousId",
    "properties",
    "traits",
    "messageId",
)


class ConsoleSettings(DestinationSettings):
    """Nothing to set."""

    type: Literal["console"] = "console"


def map_event(event: Event, _settings: ConsoleSettings) -> Sequence[Message]:
    """What the event says, in reading order; absent and empty fields are left out."""
    shown = {field: event[field] for field in SHOWN if event.get(field) not in (None, "", {})}
    page = event["context"].get("page")
    if isinstance(page, Mapping) and page.get("url"):
        shown["url"] = page["url"]
    return [Message(shown)]


def request(payloads: Sequence[Payload], _settings: ConsoleSettings, _sending: Sending) -> Request:
    """All lines in one write."""
    return Request("stdout:", b"".join(payload.body + b"\n" for payload in payloads))


CONSOLE = Destination(
    settings=ConsoleSettings,
    title="Console",
    map=map_event,
    request=request,
    max_batch_events=1000,
    unasked="it is this machine's own output",
)
