"""RudderStack, as one of its own sources would tell it: the canonical events, with their ids and times.

Source: RudderStack's pages "HTTP API" (4 MB in a batch, 32 KB in an event), "Common fields" (`channel`, timestamps) and
the code of rudder-server's gateway (the statuses and words of its answers, /health) and processor (`timestamp` is kept
where an event has one).
"""

from collections.abc import Sequence
from typing import Any, Literal

from gateway.config import BatchSettings
from gateway.config.units import BaseUrl
from gateway.destinations.classify import classify_by_status, in_words
from gateway.destinations.contract import Destination, Message, Payload
from gateway.destinations.fields import table
from gateway.destinations.forward import ENVELOPE_BYTES, ForwardSettings, batch, forwarded
from gateway.destinations.http_messages import Request, Response
from gateway.model.event import Event
from gateway.model.outcome import Halt, Outcome

MAX_BATCH_EVENTS = 5000
"""Ours: RudderStack limits bytes alone."""
MAX_BATCH_BYTES = 4_000_000 - ENVELOPE_BYTES
NOT_FOUND = 404

_LEFT_OUT = frozenset({"writeKey"})


class RudderstackSettings(ForwardSettings):
    """Which source of which data plane."""

    type: Literal["rudderstack"] = "rudderstack"
    base_url: BaseUrl
    """The data plane's address, which the home page of the dashboard shows."""
    batch: BatchSettings = BatchSettings(max_events=1000, max_bytes=1_000_000)
    """How much one request holds; RudderStack takes 4 MB."""


def map_event(event: Event, settings: RudderstackSettings) -> Sequence[Message]:
    """The event itself, with the `channel` that RudderStack requires."""
    told = event if isinstance(event.get("channel"), str) else {**event, "channel": _channel(event)}
    return forwarded(told, settings, _LEFT_OUT)


def _channel(event: Event) -> str:
    context: Any = event["context"]
    if table(context, "page"):
        return "web"
    return "mobile" if table(context, "device") else "server"


def classify(response: Response, _payloads: Sequence[Payload]) -> Outcome:
    """The default table, but 404 says that the source is switched off, or the address is not a data plane's."""
    if response.status == NOT_FOUND or response.status // 100 == 3:  # noqa: PLR2004 - the class of redirects
        return Halt(in_words(response))
    return classify_by_status(response)


def probe(settings: RudderstackSettings) -> Request:
    """The data plane's health: shows a wrong address. The write key is not tried, for that would need an event."""
    return Request(f"{settings.base_url}/health", b"", method="GET")


RUDDERSTACK = Destination(
    settings=RudderstackSettings,
    title="RudderStack",
    map=map_event,
    request=batch,
    classify=classify,
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    probe=probe,
)
