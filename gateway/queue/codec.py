"""The body of a chunk.

A zstd frame, and the CRC-32 of that frame: a torn or altered body is never taken for events, and telling so takes no
decoding. Between the two there may be zeros, where a chunk was rewritten (tombstones.py); the checksum covers them.
Inside the frame, back to back:

    events      their JSON, as intake accepted it
    lengths     one uint32 for each event
    requests    MessagePack: [envelopes, events of each]
    trailer     uint32 events, uint32 bytes of `requests`, 4 bytes that name this format

Little-endian. The events come first, so that what was decompressed is the batch's `blob` as it is, and numpy makes the
columns: there is no Python loop over events on either way.
"""

import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from gateway.model.envelope import Batch, Envelope
from gateway.model.errors import QueueError

ZSTD_LEVEL = 1
"""Level 3 saves nothing on events and takes 1.6 times as long; the negative levels store half as much again."""

_TRAILER = struct.Struct("<II4s")
_CHECKSUM = struct.Struct("<I")
CHECKSUM_BYTES = _CHECKSUM.size
_FORMAT = b"HWC1"
_Requests = tuple[list[Envelope], list[int]]
_decode_requests = msgspec.msgpack.Decoder(_Requests).decode
_encode_requests = msgspec.msgpack.Encoder().encode


class DamagedChunkError(QueueError):
    """A chunk's body is not what was written."""


@dataclass(frozen=True, slots=True)
class PackedChunk:
    """Some events of a stored chunk, which was found to be whole."""

    chunk_offset: int
    received_at_ms: int
    """Of the chunk's latest event: near enough for an age."""
    body: bytes
    start: int
    stop: int
    """The events are start..stop (0-based within the chunk)."""

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def first_offset(self) -> int:
        """Offset of the first event."""
        return self.chunk_offset + self.start

    @property
    def next_offset(self) -> int:
        """The offset that follows the last event."""
        return self.chunk_offset + self.stop

    def unpack(self) -> Batch:
        """The events, decoded."""
        batch = decode(self.chunk_offset, self.body)
        return batch if len(batch) == len(self) else batch.slice(self.start, self.stop)

    def slice(self, start: int, stop: int) -> "PackedChunk":
        """Events start..stop (0-based among these)."""
        return replace(self, start=self.start + start, stop=self.start + stop)


def new_compressor() -> zstandard.ZstdCompressor:
    """For one thread only."""
    return zstandard.ZstdCompressor(level=ZSTD_LEVEL)


def encode(
    compressor: zstandard.ZstdCompressor,
    first_offset: int,
    envelopes: Sequence[Envelope],
    counts: Sequence[int],
    raws: Sequence[bytes],
) -> tuple[Batch, bytes]:
    """The chunk that starts at `first_offset`, as readers get it and as it is stored.

    `counts[i]` events of `raws` belong to `envelopes[i]`, in order; the counts add up to the events.
    """
    lengths = np.fromiter(map(len, raws), "<u4", len(raws))
    blob = b"".join(raws)
    requests, envelopes = _packed(envelopes, counts)
    trailer = _TRAILER.pack(len(raws), len(requests), _FORMAT)
    columns = b"".join((lengths.tobytes(), requests, trailer))
    frame = compressor.compressobj(len(blob) + len(columns))  # in two parts, for joining them would copy every event
    parts = [frame.compress(blob), frame.compress(columns), frame.flush()]
    checksum = reduce(lambda sum_so_far, part: zlib.crc32(part, sum_so_far), parts, 0)
    return _batch(first_offset, blob, lengths, envelopes, counts), b"".join((*parts, _CHECKSUM.pack(checksum)))


def decode(first_offset: int, body: bytes) -> Batch:
    """The chunk from its stored body. Raises DamagedChunkError if the body is not whole."""
    verify(first_offset, body)
    try:
        content = zstandard.ZstdDecompressor().decompress(memoryview(body)[: -_CHECKSUM.size])
        count, request_bytes, form = _TRAILER.unpack_from(content, len(content) - _TRAILER.size)
        if form != _FORMAT:
            raise DamagedChunkError(f"the chunk at offset {first_offset} has an unknown format")
        requests_at = len(content) - _TRAILER.size - request_bytes
        lengths_at = requests_at - 4 * count
        lengths = np.frombuffer(content, "<u4", count, lengths_at)
        envelopes, counts = _decode_requests(memoryview(content)[requests_at : requests_at + request_bytes])
    except (zstandard.ZstdError, struct.error, ValueError, msgspec.MsgspecError) as error:
        raise DamagedChunkError(f"the chunk at offset {first_offset} is damaged: {error}") from error
    return _batch(first_offset, content, lengths, envelopes, counts)


def verify(first_offset: int, body: bytes) -> None:
    """Raises DamagedChunkError if the body is not whole."""
    frame, checksum = memoryview(body)[: -_CHECKSUM.size], body[-_CHECKSUM.size :]
    if checksum != _CHECKSUM.pack(zlib.crc32(frame)):
        raise DamagedChunkError(f"the chunk at offset {first_offset} is damaged: its checksum differs")


def _batch(
    first_offset: int, blob: bytes, lengths: NDArray[np.uint32], envelopes: Sequence[Envelope], counts: Sequence[int]
) -> Batch:
    bounds = np.zeros(len(lengths) + 1, np.uint32)
    np.cumsum(lengths, out=bounds[1:])
    envelope_of = np.repeat(np.arange(len(counts), dtype=np.uint32), counts)
    return Batch(first_offset, blob, array("I", bounds.tobytes()), envelopes, array("I", envelope_of.tobytes()))


def _packed(envelopes: Sequence[Envelope], counts: Sequence[int]) -> tuple[bytes, Sequence[Envelope]]:
    """The requests, and their envelopes as a reader will find them.

    One request must not keep the others from being stored: what MessagePack cannot hold is replaced.
    """
    try:
        return _encode_requests((envelopes, counts)), envelopes
    except (OverflowError, UnicodeEncodeError, msgspec.MsgspecError):
        plain = [_plain(envelope) for envelope in envelopes]
        return _encode_requests((plain, counts)), plain


def _plain(envelope: Envelope) -> Envelope:
    source, ip, user_agent = map(_plain_text, (envelope.source, envelope.ip, envelope.user_agent))
    sent_at = envelope.sent_at
    if isinstance(sent_at, str):
        sent_at = _plain_text(sent_at)
    elif isinstance(sent_at, int) and sent_at not in _INT64:
        sent_at = None  # no clock says so
    cookies = tuple((_plain_text(name), _plain_text(value)) for name, value in envelope.cookies)
    return envelope._replace(source=source, sent_at=sent_at, ip=ip, user_agent=user_agent, cookies=cookies)


_INT64 = range(-(2**63), 2**63)


def _plain_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
