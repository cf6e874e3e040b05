"""Events handed to DuckDB as Arrow columns: the raw JSON is one column, whose bytes are not copied event by event."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import nanoarrow as na
import numpy as np
from nanoarrow.c_array import CArray
from nanoarrow.c_array_stream import CArrayStream
from nanoarrow.c_buffer import CBuffer, CBufferBuilder
from nanoarrow.c_schema import c_schema
from numpy.typing import NDArray

from gateway.model.envelope import Batch, Envelope, Packed
from gateway.model.event import parse_time
from gateway.warehouses.repair import Repaired
from gateway.warehouses.values import as_moment

ROWS_AT_ONCE = 512
"""DuckDB parses JSON an array at a time: the size of one decides how much memory that takes."""


Numbers = NDArray[Any]

_COLUMNS = na.struct({"position": na.int64(), "envelope": na.int64(), "raw": na.string()})


@dataclass(slots=True)
class Arrived:
    """The events of a load, to be scanned once: DuckDB frees what it has read.

    `position` (the event's index in the load), `envelope` (index into `envelopes`), `raw`.
    """

    envelopes: list[Envelope]
    """Of all batches, one batch after the other."""
    first_envelopes: list[int]
    """For each batch the index of its first envelope."""
    arrays: list[CArray]

    @classmethod
    def of(cls, batches: Iterable[Packed]) -> "Arrived":
        """Copied from `batches`, of which one at a time is unpacked."""
        arrived = cls([], [], [])
        position = 0
        for pieces in _portions(arrived._unpacked(batches)):
            arrived.arrays.append(_array(pieces, position))
            position += sum(piece.rows for piece in pieces)
        return arrived

    def _unpacked(self, batches: Iterable[Packed]) -> Iterator["_Piece"]:
        for packed in batches:
            batch = packed.unpack()
            self.first_envelopes.append(len(self.envelopes))
            self.envelopes += batch.envelopes
            yield _Piece(batch, self.first_envelopes[-1], 0, len(batch))

    def __arrow_c_schema__(self) -> object:
        return c_schema(_COLUMNS).__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        stream = CArrayStream.from_c_arrays(self.arrays, c_schema(_COLUMNS), move=True)
        return stream.__arrow_c_stream__(requested_schema)


def envelopes_of(envelopes: Sequence[Envelope]) -> CArray:
    """`envelope` (its index), `source`, `received_at_ms`, what it says of `sentAt` if anything, `ip`, `user_agent`."""
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
    """The columns of `Arrived`, and `all_properties` and `extra`, empty where there is none."""
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


def rows_of(columns: Mapping[str, Sequence[Any]]) -> CArray:
    """Columns of whole numbers or of texts, all of the same length, with None where there is nothing.

    A column without a text is taken for numbers; booleans are 0 and 1.
    """
    arrays = {name: _nullable(values) for name, values in columns.items()}
    return _table(arrays, len(next(iter(columns.values()))))


def _nullable(values: Sequence[Any]) -> CArray:
    present = [value is not None for value in values]
    is_text = any(isinstance(value, str) for value in values)
    validity = None if all(present) else _owned(np.packbits(present, bitorder="little").data)
    if is_text:
        return _texts([(value or "").encode(errors="replace") for value in values], validity)
    return _integers(np.array([value or 0 for value in values], np.int64), validity)


def _sent_at(envelope: Envelope) -> bytes:
    if envelope.sent_at is None:
        return b""
    moment = parse_time(envelope.sent_at)
    return ((as_moment(moment) if moment else None) or "").encode()


class _Piece(NamedTuple):
    """Events start..stop of a batch, whose envelopes are `first_envelope` and those after it."""

    batch: Batch
    first_envelope: int
    start: int
    stop: int

    @property
    def rows(self) -> int:
        return self.stop - self.start

    @property
    def bounds(self) -> Numbers:
        return np.frombuffer(self.batch.bounds, np.uint32)[self.start : self.stop + 1]

    @property
    def envelopes(self) -> Numbers:
        owners = np.frombuffer(self.batch.envelope_of, np.uint32)[self.start : self.stop]
        return owners.astype(np.int64) + self.first_envelope

    @property
    def text(self) -> memoryview:
        bounds = self.bounds
        return memoryview(self.batch.blob)[bounds[0] : bounds[-1]]


def _portions(batches: Iterable[_Piece]) -> Iterator[Sequence[_Piece]]:
    """The events in order, `ROWS_AT_ONCE` at a time, as they lie in the batches."""
    pieces: list[_Piece] = []
    room = ROWS_AT_ONCE
    for whole in batches:
        rest = whole
        while rest.rows:
            piece = rest._replace(stop=min(rest.stop, rest.start + room))
            pieces.append(piece)
            room -= piece.rows
            rest = rest._replace(start=piece.stop)
            if not room:
                yield pieces
                pieces, room = [], ROWS_AT_ONCE
    if pieces:
        yield pieces


def _array(pieces: Sequence[_Piece], first_position: int) -> CArray:
    envelopes = np.concatenate([piece.envelopes for piece in pieces])
    rows = len(envelopes)
    positions = np.arange(first_position, first_position + rows)
    return _table({"position": _integers(positions), "envelope": _integers(envelopes), "raw": _raw(pieces)}, rows)


def _raw(pieces: Sequence[_Piece]) -> CArray:
    lengths = np.concatenate([np.diff(piece.bounds) for piece in pieces])
    return _strings(lengths, [piece.text for piece in pieces])


def _texts(values: Sequence[bytes], validity: CBuffer | None = None) -> CArray:
    lengths = np.fromiter(map(len, values), np.uint32, len(values))
    return _strings(lengths, [memoryview(b"".join(values))], validity)


def _strings(lengths: Numbers, texts: Sequence[memoryview], validity: CBuffer | None = None) -> CArray:
    """Strings of these lengths, of what the texts are when they are joined."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    buffers = [validity, _owned(offsets.data), _owned(*texts)]
    return na.c_array_from_buffers(na.string(), len(lengths), buffers, move=True)


def _integers(values: Numbers, validity: CBuffer | None = None) -> CArray:
    buffers = [validity, _owned(values.astype(np.int64).data)]
    return na.c_array_from_buffers(na.int64(), len(values), buffers, move=True)


def _table(columns: dict[str, CArray], rows: int) -> CArray:
    schema = na.struct({name: column.schema for name, column in columns.items()})
    return na.c_array_from_buffers(schema, rows, [None], children=list(columns.values()), move=True)


def _owned(*data: memoryview) -> CBuffer:
    """A copy that Arrow frees by itself. Python's own buffers DuckDB could give back only with Python's lock, for which
    it would wait while requests are handled, several times for each array."""
    builder = CBufferBuilder()
    builder.reserve_bytes(sum(each.nbytes for each in data))
    for each in data:
        builder.write(each)
    return builder.finish()
