"""Events handed to DuckDB as Arrow columns: the raw JSON is one column, whose bytes are not copied event by event."""

from collections.abc import Sequence
from itertools import accumulate

import nanoarrow as na
import numpy as np
from nanoarrow.c_array import CArray

from gateway.model.envelope import Batch, Envelope
from gateway.model.event import parse_time
from gateway.warehouses.repair import Repaired
from gateway.warehouses.values import as_moment


def events_of(batches: Sequence[Batch]) -> CArray:
    """`position` (the event's index in the load), `envelope` (index into `envelopes_of`), `raw`."""
    events = sum(map(len, batches))
    envelope_bases = [0, *accumulate(len(batch.envelopes) for batch in batches)]
    envelopes = np.concatenate(
        [
            np.frombuffer(batch.envelope_of, np.uint32) + base
            for batch, base in zip(batches, envelope_bases, strict=False)
        ]
    )
    return _table(
        {
            "position": _integers(np.arange(events)),
            "envelope": _integers(envelopes),
            "raw": _raw(batches, events),
        },
        events,
    )


def envelopes_of(batches: Sequence[Batch]) -> CArray:
    """`envelope` (its index), `source`, `received_at_ms`, what it says of `sentAt` if anything, `ip`, `user_agent`."""
    envelopes = [envelope for batch in batches for envelope in batch.envelopes]
    return _table(
        {
            "envelope": _integers(np.arange(len(envelopes))),
            "source": _texts([envelope.source.encode() for envelope in envelopes]),
            "received_at_ms": _integers(np.array([envelope.received_at_ms for envelope in envelopes], np.int64)),
            "tells_sent_at": _integers(np.array([envelope.sent_at is not None for envelope in envelopes])),
            "told_sent_at": _texts([_sent_at(envelope) for envelope in envelopes]),
            "ip": _texts([envelope.ip.encode() for envelope in envelopes]),
            "user_agent": _texts([envelope.user_agent.encode(errors="replace") for envelope in envelopes]),
        },
        len(envelopes),
    )


def repaired_of(repaired: Sequence[Repaired], positions: Sequence[int], envelopes: Sequence[int]) -> CArray:
    """The columns of `events_of`, and `all_properties` and `extra`, empty where there is none."""
    return _table(
        {
            "position": _integers(np.array(positions)),
            "envelope": _integers(np.array(envelopes)),
            "raw": _texts([event.raw for event in repaired]),
            "all_properties": _texts([event.all_properties or b"" for event in repaired]),
            "extra": _texts([event.extra or b"" for event in repaired]),
        },
        len(repaired),
    )


def names_of(event_names: Sequence[tuple[str, str]]) -> CArray:
    """`event_text` and `event`, the name of its table."""
    texts, events = zip(*event_names, strict=True) if event_names else ((), ())
    return _table(
        {
            "event_text": _texts([text.encode() for text in texts]),
            "event": _texts([event.encode() for event in events]),
        },
        len(event_names),
    )


def _sent_at(envelope: Envelope) -> bytes:
    if envelope.sent_at is None:
        return b""
    moment = parse_time(envelope.sent_at)
    return ((as_moment(moment) if moment else None) or "").encode()


def _raw(batches: Sequence[Batch], events: int) -> CArray:
    """One batch is taken as it lies; several are joined."""
    offsets = np.zeros(events + 1, np.int32)
    first, base = 0, 0
    for batch in batches:
        bounds = np.frombuffer(batch.bounds, np.uint32)
        offsets[first : first + len(batch) + 1] = bounds + base
        first, base = first + len(batch), base + len(batch.blob)
    blob = batches[0].blob if len(batches) == 1 else b"".join(batch.blob for batch in batches)
    return na.c_array_from_buffers(na.string(), events, [None, offsets, blob])


def _texts(values: Sequence[bytes]) -> CArray:
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])
    return na.c_array_from_buffers(na.string(), len(values), [None, offsets, b"".join(values)])


def _integers(values: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> CArray:
    return na.c_array_from_buffers(na.int64(), len(values), [None, values.astype(np.int64)])


def _table(columns: dict[str, CArray], rows: int) -> CArray:
    schema = na.struct({name: column.schema for name, column in columns.items()})
    return na.c_array_from_buffers(schema, rows, [None], children=list(columns.values()))
