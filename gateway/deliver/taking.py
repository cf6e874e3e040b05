"""What a warehouse is handed of a span of the log, and what becomes of the rest.

Where only envelopes decide, as they do for an archive, the bytes go through as they lie in the log. Rules, transforms,
enrichment and a quarantine look inside, so their events are decoded, and what they become is encoded again: `timestamp`
is then the corrected time.
"""

import asyncio
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import orjson

from gateway.deliver.governing import Given, Governor
from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.progress import Filtered, Unsendable
from gateway.deliver.services import Services
from gateway.deliver.spans import Span, sorted_out
from gateway.model.envelope import Batch, Envelope, Packed, Stored
from gateway.queue.records import Letter, Progress

AT_ONCE = 100
"""Events decoded at one go; more would hold up the event loop."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What is loaded of a span, and what is not."""

    batches: Sequence[Packed]
    events: int
    """How many of the log's events these are; a transform may have made more of them."""
    filtered: Mapping[str, int] = field(default_factory=dict)
    """By the rule."""
    letters: Sequence[Letter] = ()
    offsets: Collection[int] | None = None
    """Of the log's events that are loaded; None where they are those of `batches`."""

    def stored(self, span: Span) -> list[Stored]:
        """The events of the log that are loaded, as they lie there."""
        if self.offsets is None:
            return [stored for packed in self.batches for stored in packed.unpack()]
        return [stored for packed in span.batches for stored in packed.unpack() if stored.offset in self.offsets]

    def progress(self, next_offset: int) -> Progress:
        """The outcomes, once it is loaded."""
        return Progress(next_offset, self.events, sum(self.filtered.values()), self.letters)


class Taking:
    """For one cursor of one warehouse."""

    def __init__(self, destination: str, governor: Governor, services: Services, *, is_archive: bool = False) -> None:
        self._destination = destination
        self._governor = governor
        self._queue = services.queue
        self._clock = services.clock
        self._canonical = services.enriching.canonical
        self._looks_inside = not is_archive and (governor.looks_inside or services.enriching.is_on)

    async def taken(self, span: Span) -> Taken:
        """What is to be loaded of the span."""
        return await self._looked_at(span) if self._looks_inside else await self._by_envelope(span)

    async def _by_envelope(self, span: Span) -> Taken:
        route = self._governor.route
        if route.takes_all and span.first_offset >= self._queue.tombstones_until:
            return Taken(span.batches, len(span))
        batches: list[Packed] = []
        filtered: Counter[str] = Counter()
        for packed in span.batches:
            kept, kept_back = sorted_out(packed, route.keeps_envelope)
            filtered.update(kept_back)
            if len(kept):
                batches.append(kept)
            await asyncio.sleep(0)
        return Taken(batches, sum(map(len, batches)), filtered)

    async def _looked_at(self, span: Span) -> Taken:
        made, offsets = Growing(), set[int]()
        filtered: Counter[str] = Counter()
        letters: list[Letter] = []
        for some in _in_pieces(span):
            for each, found in zip(some, await self._governor.governed(self._given(some)), strict=True):
                if isinstance(found, Filtered):
                    filtered[found.rule] += 1
                elif isinstance(found, Unsendable):
                    trouble = Trouble(found.error, 0, self._clock.now_ms())
                    letters.append(dead_letter(each, self._destination, found.reason, trouble))
                else:
                    offsets.add(each.offset)
                    for event in found:
                        made.add(orjson.dumps(event), each.envelope)
            await asyncio.sleep(0)
        batch = made.batch(span.first_offset)
        return Taken([batch] if len(batch) else [], len(offsets), filtered, letters, offsets)

    def _given(self, stored: Sequence[Stored]) -> list[Given]:
        """Decoded for this warehouse alone: it reads more than the cache for tools would hold."""
        return [Given(each, self._canonical) for each in stored]


def _in_pieces(span: Span) -> Iterator[Sequence[Stored]]:
    """The span's events, `AT_ONCE` at a time."""
    for packed in span.batches:
        batch = packed.unpack()
        for start in range(0, len(batch), AT_ONCE):
            yield list(batch.slice(start, min(start + AT_ONCE, len(batch))))


class Growing:
    """A batch that is put together event by event."""

    def __init__(self) -> None:
        self._blob = BytesIO()
        self._bounds = array("I", [0])
        self._places: dict[Envelope, int] = {}
        self._envelope_of = array("I")

    def add(self, raw: bytes, envelope: Envelope) -> None:
        """One event more."""
        self._blob.write(raw)
        self._bounds.append(self._blob.tell())
        self._envelope_of.append(self._places.setdefault(envelope, len(self._places)))

    def batch(self, first_offset: int) -> Batch:
        """All of them. Offsets in it are not the log's."""
        return Batch(first_offset, self._blob.getvalue(), self._bounds, [*self._places], self._envelope_of)
