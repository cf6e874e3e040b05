"""What the gateway knows about a request besides the events in it, and the batches in which both travel."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Envelope(NamedTuple):
    """The facts of one request, shared by every event that came in it.

    A tuple because one is made for every request. New fields go last and have a default, so that envelopes
    written by an older version still decode.
    """

    source: str
    """Name of the source, from the configuration."""
    received_at_ms: int
    """When the request had arrived, by our clock, in milliseconds since the epoch."""
    sent_at: str | int | float | None = None
    """The client's clock when it sent the batch, as the client wrote it; None where the batch did not say."""
    ip: str = ""
    """The client's address, as far as the trusted proxies vouch for it; empty where a privacy rule removed it."""
    user_agent: str = ""
    """The User-Agent header, cut to 512 characters."""
    cookies: tuple[tuple[str, str], ...] = ()
    """Names and values of the page's own cookies that destinations need, as far as owner and visitor let them be kept.
    Pairs and no mapping, because envelopes are hashed."""
    is_refused: bool = False
    """The visitor refused that these events be kept: they are the owner's alone, and go to no destination that is not
    told of them explicitly."""

    @property
    def is_tombstone(self) -> bool:
        """Its events were forgotten, and something nameless stands in their place. No source has an empty name."""
        return not self.source


class Packed(Protocol):
    """Consecutive events of the queue, at hand or still compressed: a long run need not be in memory at once."""

    @property
    def first_offset(self) -> int:
        """Offset of the first event."""
        ...

    @property
    def next_offset(self) -> int:
        """The offset that follows the last event."""
        ...

    @property
    def received_at_ms(self) -> int:
        """When the first event was received, in milliseconds since the epoch."""
        ...

    def __len__(self) -> int: ...

    def unpack(self) -> "Batch":
        """The events. Whoever needs them again and again keeps what this returns."""
        ...

    def slice(self, start: int, stop: int) -> "Packed":
        """Events start..stop (0-based among these)."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of the queue, kept as the raw JSON that intake accepted.

    Columns instead of objects: a warehouse hands `blob` and `bounds` to its engine without touching an event.
    Every event is a JSON object in valid UTF-8 with a string `messageId` and a string `type`.
    """

    first_offset: int
    blob: bytes
    """The events' JSON back to back; what follows the last of them is no event's."""
    bounds: "array[int]"
    """Type code 'I', one more than there are events: event i is blob[bounds[i]:bounds[i + 1]]."""
    envelopes: Sequence[Envelope]
    envelope_of: "array[int]"
    """Type code 'I', one for each event: its envelope's index."""
    offsets: "array[int] | None" = None
    """Type code 'Q', each event's offset, where others were left out between them."""

    def __len__(self) -> int:
        return len(self.envelope_of)

    @property
    def next_offset(self) -> int:
        """The offset that follows the last event."""
        return self.offset(len(self) - 1) + 1 if len(self) else self.first_offset

    @property
    def received_at_ms(self) -> int:
        """When the first event was received; there must be one."""
        return self.envelope(0).received_at_ms

    def unpack(self) -> "Batch":
        """Itself: it is at hand."""
        return self

    def offset(self, index: int) -> int:
        """The offset of event `index` (0-based within the batch)."""
        return self.first_offset + index if self.offsets is None else self.offsets[index]

    def raw(self, index: int) -> bytes:
        """The JSON of event `index` (0-based within the batch)."""
        return self.blob[self.bounds[index] : self.bounds[index + 1]]

    def envelope(self, index: int) -> Envelope:
        """The envelope of event `index` (0-based within the batch)."""
        return self.envelopes[self.envelope_of[index]]

    def __iter__(self) -> Iterator["Stored"]:
        for index in range(len(self)):
            yield Stored(self.offset(index), self.raw(index), self.envelope(index))

    def slice(self, start: int, stop: int) -> "Batch":
        """Events start..stop (0-based within the batch) as a batch of their own."""
        base = self.bounds[start]
        bounds = array("I", (bound - base for bound in self.bounds[start : stop + 1]))
        blob = self.blob[base : self.bounds[stop]]
        offsets = None if self.offsets is None else self.offsets[start:stop]
        first_offset = self.offset(start) if start < len(self) else self.next_offset
        return Batch(first_offset, blob, bounds, self.envelopes, self.envelope_of[start:stop], offsets)


class Stored(NamedTuple):
    """One event as it lies in the queue."""

    offset: int
    raw: bytes
    envelope: Envelope
