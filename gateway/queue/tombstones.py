"""Events of the log that were forgotten: a tombstone takes the place of each.

Offsets stay contiguous and every account adds up, for there are as many events as before. A tombstone is the event
TOMBSTONE under an envelope without a source: whoever reads the log tells it by the envelope alone and passes it over.
docs/decisions/tombstones.md has the reasons.

What stays of a forgotten event is the keyed digest of its message id, in the dedupe window: it names nobody, and goes
with the window.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.model.envelope import Batch, Envelope, Stored
from gateway.queue.chunks import Body
from gateway.queue.codec import CHECKSUM_BYTES, DamagedChunkError, encode, new_compressor

TOMBSTONE = b'{"type":"track","messageId":"forgotten","event":"$forgotten"}'

Belongs = Callable[[bytes, Envelope], bool]
"""Whether an event, by its JSON and its envelope, is the one person's."""


class Erasure(NamedTuple):
    """What a step over some chunks found."""

    bodies: Sequence[Body]
    """Those that change, as they are to be stored."""
    events: Sequence[int]
    """How many tombstones are new in each."""
    damaged: Sequence[int]
    """Offsets of chunks that cannot be read."""


def erase_from(bodies: Sequence[Body], belongs: Belongs) -> Erasure:
    """The chunks without the events that belong."""
    changed: list[Body] = []
    events: list[int] = []
    damaged: list[int] = []
    for body in bodies:
        try:
            batch = body.unpack()
        except DamagedChunkError:
            damaged.append(body.first_offset)
            continue
        doomed = _doomed(batch, belongs)
        if any(doomed):
            changed.append(_rewritten(body, batch, doomed))
            events.append(sum(doomed))
    return Erasure(changed, events, damaged)


def find_in(bodies: Sequence[Body], belongs: Belongs) -> list[Stored]:
    """The events that belong."""
    found: list[Stored] = []
    for body in bodies:
        try:
            batch = body.unpack()
        except DamagedChunkError:
            continue
        found += [stored for stored, is_doomed in zip(batch, _doomed(batch, belongs), strict=True) if is_doomed]
    return found


def _doomed(batch: Batch, belongs: Belongs) -> list[bool]:
    return [
        not batch.envelope(at).is_tombstone and belongs(batch.raw(at), batch.envelope(at)) for at in range(len(batch))
    ]


def _rewritten(body: Body, batch: Batch, doomed: Sequence[bool]) -> Body:
    """Stored in as many bytes as before, where that is enough: SQLite then writes over the old ones in their place.
    So `raw_bytes` stays as well, which is a limit for readers and no measure."""
    envelopes: list[Envelope] = []
    counts: list[int] = []
    for at, is_doomed in enumerate(doomed):
        envelope = batch.envelope(at)
        kept = Envelope("", envelope.received_at_ms) if is_doomed else envelope
        if envelopes and envelopes[-1] == kept:
            counts[-1] += 1
        else:
            envelopes.append(kept)
            counts.append(1)
    raws = [TOMBSTONE if is_doomed else batch.raw(at) for at, is_doomed in enumerate(doomed)]
    _, encoded = encode(new_compressor(), body.first_offset, envelopes, counts, raws)
    return body._replace(body=_padded(encoded, len(body.body)))


def _padded(body: bytes, size: int) -> bytes:
    """zstd ends with its frame: zeros behind it are nobody's, and the checksum covers them."""
    if len(body) >= size:
        return body
    filled = body[:-CHECKSUM_BYTES].ljust(size - CHECKSUM_BYTES, b"\0")
    return filled + struct.pack("<I", zlib.crc32(filled))
