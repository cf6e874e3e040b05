"""Runs of the log on their way into a warehouse: what envelopes let through, and halves for finding a poison row."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.deliver.progress import Filtered
from gateway.model.envelope import Batch, Envelope, Packed, Stored


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive batches of the log."""

    batches: Sequence[Packed]

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    @property
    def first_offset(self) -> int:
        """Offset of the first event."""
        return self.batches[0].first_offset

    @property
    def next_offset(self) -> int:
        """The offset that follows the last event."""
        return self.batches[-1].next_offset

    def halves(self) -> tuple["Span", "Span"]:
        """Two spans of about the same number of events; there must be two at least."""
        middle = len(self) // 2
        first: list[Packed] = []
        second: list[Packed] = []
        for batch in self.batches:
            cut = min(len(batch), max(0, middle))
            middle -= len(batch)
            if cut:
                first.append(batch.slice(0, cut))
            if cut < len(batch):
                second.append(batch.slice(cut, len(batch)))
        return Span(first), Span(second)


class Sorted(NamedTuple):
    """A run without what its envelopes keep back."""

    kept: Packed
    """The run itself, still packed, where that is all of it."""
    filtered: Mapping[str, int]
    """Events by the rule that keeps them back."""


def selected(batch: Batch, takes: Callable[[Envelope], bool]) -> Batch:
    """The events whose envelope is taken."""
    kept_envelopes = [takes(envelope) for envelope in batch.envelopes]
    if all(kept_envelopes):
        return batch
    kept = [index for index, owner in enumerate(batch.envelope_of) if kept_envelopes[owner]]
    bounds = array("I", [0])
    for index in kept:
        bounds.append(bounds[-1] + batch.bounds[index + 1] - batch.bounds[index])
    blob = b"".join(batch.raw(index) for index in kept)
    envelope_of = array("I", (batch.envelope_of[index] for index in kept))
    offsets = array("Q", (batch.offset(index) for index in kept))
    return Batch(offsets[0] if kept else batch.first_offset, blob, bounds, batch.envelopes, envelope_of, offsets)


def sorted_out(packed: Packed, keeps_back: Callable[[Envelope], Filtered | None]) -> Sorted:
    """The events that no envelope keeps back, and how many others there are."""
    batch = packed.unpack()
    verdicts = [keeps_back(envelope) for envelope in batch.envelopes]
    if not any(verdicts):
        return Sorted(packed, {})
    counted = Counter(verdict.rule for owner in batch.envelope_of if (verdict := verdicts[owner]))
    return Sorted(selected(batch, lambda envelope: keeps_back(envelope) is None), counted)


def batch_of_one(stored: Stored) -> Batch:
    """A single event as a batch."""
    return Batch(stored.offset, stored.raw, array("I", [0, len(stored.raw)]), (stored.envelope,), array("I", [0]))
