"""From requests to chunks: repeats are left out, the rest is encoded and inserted, in the caller's transaction."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, Protocol

import zstandard

from gateway.model.envelope import Batch, Envelope
from gateway.queue.chunks import CHUNKS, MAX_CHUNK_BYTES, MAX_CHUNK_EVENTS
from gateway.queue.codec import encode
from gateway.queue.dedupe import Dedupe
from gateway.queue.digests import digests_of_requests
from gateway.queue.records import Appended


class Submission(NamedTuple):
    """One request's events, waiting for their commit."""

    envelope: Envelope
    message_ids: Sequence[str]
    raws: Sequence[bytes]
    raw_bytes: int
    future: asyncio.Future[Appended]


class Part(Protocol):
    """Events of one request that are stored together: all of a submission, or what is new in it."""

    @property
    def envelope(self) -> Envelope: ...
    @property
    def raws(self) -> Sequence[bytes]: ...
    @property
    def raw_bytes(self) -> int: ...


class Remainder(NamedTuple):
    """A part that is not a whole submission."""

    envelope: Envelope
    raws: Sequence[bytes]
    raw_bytes: int


class Fresh(NamedTuple):
    """What is left to store once repeats are out."""

    parts: Sequence[Part]
    digests: Sequence[bytes]
    """Of all events of the parts, in order."""
    answers: Sequence[Appended]
    """One for each submission."""


class AppendedChunks(NamedTuple):
    """What an append did, true once it is committed."""

    answers: Sequence[Appended]
    """One for each submission."""
    batches: Sequence[Batch]
    digests: Sequence[bytes]
    """Of all events stored."""
    received_at_ms: int
    """Of the latest event."""


@dataclass(frozen=True, slots=True)
class Appender:
    """What it takes to append; used on the database's thread alone."""

    digest_seed: int
    dedupe: Dedupe
    compressor: zstandard.ZstdCompressor

    def append(
        self, connection: sqlite3.Connection, submissions: Sequence[Submission], head_offset: int
    ) -> AppendedChunks:
        """Store the events that are new, from `head_offset` on. The second of two equal ids in one go is a repeat."""
        if not submissions:
            return AppendedChunks((), (), (), 0)
        fresh = self._fresh(connection, submissions)
        batches: list[Batch] = []
        stored = 0
        for group in _grouped(fresh.parts):
            batch = self._insert(connection, group, head_offset + stored, fresh.digests[stored:])
            stored += len(batch)
            batches.append(batch)
        latest_ms = max((part.envelope.received_at_ms for part in fresh.parts), default=0)
        return AppendedChunks(fresh.answers, batches, fresh.digests, latest_ms)

    def _fresh(self, connection: sqlite3.Connection, submissions: Sequence[Submission]) -> Fresh:
        requests = [(each.envelope.source, each.message_ids) for each in submissions]
        digests = digests_of_requests(requests, self.digest_seed)
        seen = self.dedupe.seen(connection, digests)
        if not self.dedupe.enabled or (not seen and len(set(digests)) == len(digests)):
            return Fresh(submissions, digests, [Appended(len(each.raws), 0) for each in submissions])
        return _without_repeats(submissions, digests, {digests[index] for index in seen})

    def _insert(
        self, connection: sqlite3.Connection, parts: Sequence[Part], offset: int, digests: Sequence[bytes]
    ) -> Batch:
        """Store a chunk; `digests` begin with those of its events."""
        raws = list(chain.from_iterable([part.raws for part in parts]))
        counts = [len(part.raws) for part in parts]
        batch, body = encode(self.compressor, offset, [part.envelope for part in parts], counts, raws)
        received_at_ms = max(envelope.received_at_ms for envelope in batch.envelopes)
        connection.execute(CHUNKS["insert"], (offset, len(raws), received_at_ms, len(batch.blob), body))
        connection.execute(CHUNKS["insert_ids"], (offset, received_at_ms, b"".join(digests[: len(raws)])))
        return batch


def _without_repeats(submissions: Sequence[Submission], digests: Sequence[bytes], known: set[bytes]) -> Fresh:
    """The events whose digest is not in `known`, which gains them."""
    parts: list[Part] = []
    answers: list[Appended] = []
    kept: list[bytes] = []
    remaining = iter(digests)
    for each in submissions:
        raws: list[bytes] = []
        for raw, digest in zip(each.raws, remaining, strict=False):  # as many of the digests as this request has events
            if digest not in known:
                known.add(digest)
                raws.append(raw)
                kept.append(digest)
        answers.append(Appended(len(raws), len(each.raws) - len(raws)))
        if raws:
            parts.append(Remainder(each.envelope, raws, sum(map(len, raws))))
    return Fresh(parts, kept, answers)


def _grouped(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """The parts in groups of one chunk each."""
    group: list[Part] = []
    events = raw_bytes = 0
    for whole in parts:
        for part in _split(whole) if _is_large(whole) else (whole,):
            events += len(part.raws)
            raw_bytes += part.raw_bytes
            if group and (raw_bytes > MAX_CHUNK_BYTES or events > MAX_CHUNK_EVENTS):
                yield group
                group, events, raw_bytes = [], len(part.raws), part.raw_bytes
            group.append(part)
    if group:
        yield group


def _is_large(part: Part) -> bool:
    return part.raw_bytes > MAX_CHUNK_BYTES or len(part.raws) > MAX_CHUNK_EVENTS


def _split(part: Part) -> Iterator[Part]:
    """A part that is too large for one chunk, in several."""
    start, size = 0, 0
    for at, raw in enumerate(part.raws):
        if at > start and (size + len(raw) > MAX_CHUNK_BYTES or at - start == MAX_CHUNK_EVENTS):
            yield Remainder(part.envelope, part.raws[start:at], size)
            start, size = at, 0
        size += len(raw)
    yield Remainder(part.envelope, part.raws[start:], size)
