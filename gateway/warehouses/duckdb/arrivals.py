"""Events handed to DuckDB as Arrow columns: the raw JSON is one column, whose bytes are not copied event by event."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import nanoarrow as na
import numpy as np
from nanoarrow.c_array import CArray
from nanoarrow.c_array_stream import CArrayStream

from gateway.model.envelope import Batch, Envelope
from gateway.model.event import parse_time
from gateway.warehouses.repair import Repaired
from gateway.warehouses.values import as_moment


ROWS_AT_ONCE = 512
"""DuckDB parses JSON an array at a time: the size of one decides how much memory that takes."""


class Arrivals:
    """The events of a load as an Arrow stream, anew for each scan.

    `position` (the event's index in the load), `envelope` (index into `envelopes_of`), `raw`.
    """

    def __init__(self, batches: Sequence[Batch]) -> None:
        self._arrays = list(_arrays(batches))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = CArrayStream.from_c_arrays(self._arrays, self._arrays[0].schema, move=False)
        return stream.__arrow_c_stream__(requested_schema)


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
    """The columns of `Arrivals`, and `all_properties` and `extra`, empty where there is none."""
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


class _Piece(NamedTuple):
    """Some events of a batch, whose envelopes are `first_envelope` and those after it."""

    batch: Batch
    first_envelope: int
    start: int
    stop: int

    @property
    def bounds(self) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
        return np.frombuffer(self.batch.bounds, np.uint32)[self.start : self.stop + 1]

    @property
    def envelopes(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        owners = np.frombuffer(self.batch.envelope_of, np.uint32)[self.start : self.stop]
        return owners.astype(np.int64) + self.first_envelope

    @property
    def text(self) -> memoryview:
        bounds = self.bounds
        return memoryview(self.batch.blob)[bounds[0] : bounds[-1]]


def _arrays(batches: Sequence[Batch]) -> Iterator[CArray]:
    first_position = 0
    for pieces in _portions(batches):
        raw = _raw(pieces)
        positions = np.arange(first_position, first_position + len(raw))
        envelopes = np.concatenate([piece.envelopes for piece in pieces])
        yield _table({"position": _integers(positions), "envelope": _integers(envelopes), "raw": raw}, len(raw))
        first_position += len(raw)


def _portions(batches: Sequence[Batch]) -> Iterator[Sequence[_Piece]]:
    """The events in order, `ROWS_AT_ONCE` at a time, as they lie in the batches."""
    pieces: list[_Piece] = []
    rows = first_envelope = 0
    for batch in batches:
        start = 0
        while start < len(batch):
            stop = min(len(batch), start + ROWS_AT_ONCE - rows)
            pieces.append(_Piece(batch, first_envelope, start, stop))
            rows += stop - start
            start = stop
            if rows == ROWS_AT_ONCE:
                yield pieces
                pieces, rows = [], 0
        first_envelope += len(batch.envelopes)
    if pieces:
        yield pieces


def _raw(pieces: Sequence[_Piece]) -> CArray:
    """Events of one batch are taken as they lie; those of several are joined."""
    lengths = np.concatenate([np.diff(piece.bounds) for piece in pieces])
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    blob = pieces[0].text if len(pieces) == 1 else b"".join(piece.text for piece in pieces)
    return na.c_array_from_buffers(na.string(), len(lengths), [None, offsets, blob])


def _texts(values: Sequence[bytes]) -> CArray:
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=offsets[1:])
    return na.c_array_from_buffers(na.string(), len(values), [None, offsets, b"".join(values)])


def _integers(values: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> CArray:
    return na.c_array_from_buffers(na.int64(), len(values), [None, values.astype(np.int64)])


def _table(columns: dict[str, CArray], rows: int) -> CArray:
    schema = na.struct({name: column.schema for name, column in columns.items()})
    return na.c_array_from_buffers(schema, rows, [None], children=list(columns.values()))
