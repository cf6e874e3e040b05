"""Segment, as one of its own sources would tell it: the canonical events, with their ids and times.

Source: Segment's pages "HTTP API source" (500 KB and 2,500 events in a batch, 32 KB in an event, message ids of fewer
than 100 characters, errors, rate limits), "Spec: Common fields" (timestamps) and "Regional Segment".
"""

from collections.abc import Sequence
from typing import Literal

from gateway.config import BatchSettings
from gateway.config.units import BaseUrl
from gateway.destinations.contract import Destination, Message
from gateway.destinations.forward import ENVELOPE_BYTES, ForwardSettings, batch, forwarded
from gateway.model.event import Event

MAX_BATCH_EVENTS = 2500
MAX_BATCH_BYTES = 500_000 - ENVELOPE_BYTES

_SEGMENTS_OWN = frozenset({"originalTimestamp", "receivedAt", "sentAt", "writeKey"})
"""Segment says these itself. The client's `sentAt` would correct by the client's clock what is corrected already."""


class SegmentSettings(ForwardSettings):
    """Which source of which workspace."""

    type: Literal["segment"] = "segment"
    base_url: BaseUrl = "https://api.segment.io"
    """Of workspaces in the European Union: https://events.eu1.segmentapis.com. Any API that takes Segment's batches
    below /v1/batch will do."""
    batch: BatchSettings = BatchSettings(max_events=MAX_BATCH_EVENTS)
    """How much one request holds; Segment takes 2,500 events and 500 KB."""


def map_event(event: Event, settings: SegmentSettings) -> Sequence[Message]:
    """The event itself."""
    return forwarded(event, settings, _SEGMENTS_OWN)


SEGMENT = Destination(
    settings=SegmentSettings,
    title="Segment.io",
    map=map_event,
    request=batch,
    max_batch_events=MAX_BATCH_EVENTS,
    max_batch_bytes=MAX_BATCH_BYTES,
    unasked="its API has no request that tries a write key without sending an event",
)
