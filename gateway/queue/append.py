"""From requests to chunks: repeats are left out, the rest is encoded and inserted, in the caller's transaction."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import zstandard

from gateway.model.envelope import Batch, Envelope
from gateway.queue.chunks import CHUNKS, MAX_CHUNK_BYTES, MAX_CHUNK_EVENTS
from gateway.queue.codec import encode
from gateway.queue.dedupe import Dedupe
from gateway.queue.digests import digests_of
from gateway.queue.records import Appended


class Submission(NamedTuple):
    """One request's events, waiting for their commit."""

    envelope: Envelope
    message_ids: Sequence[str]
    raws: Sequence[bytes]
    raw_bytes: int
    future: asyncio.Future[Appended]


class Part(NamedTuple):
    """Events of one request that are stored, with their digests."""

    envelope: Envelope
    raws: Sequence[bytes]
    digests: Sequence[bytes]
    raw_bytes: int


class AppendedChunks(NamedTuple):
    """What an append did, true once it is committed."""

    answers: Sequence[Appended]
    """One for each submission."""
    batches: Sequence[Batch]
    digests: Sequence[bytes]
    """Of all events stored."""
    received_at_ms: int
    """Of the latest event."""
    body_bytes: int


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
        parts, answers = self._without_repeats(connection, submissions)
        batches: list[Batch] = []
        body_bytes = 0
        for group in _grouped(parts):
            batch, size = self._insert(connection, group, head_offset)
            head_offset = batch.next_offset
            batches.append(batch)
            body_bytes += size
        digests = list(chain.from_iterable(part.digests for part in parts))
        latest_ms = max((part.envelope.received_at_ms for part in parts), default=0)
        return AppendedChunks(answers, batches, digests, latest_ms, body_bytes)

    def _without_repeats(
        self, connection: sqlite3.Connection, submissions: Sequence[Submission]
    ) -> tuple[list[Part], list[Appended]]:
        digests = [digests_of(each.envelope.source, each.message_ids, self.digest_seed) for each in submissions]
        joined = list(chain.from_iterable(digests))
        seen = self.dedupe.seen(connection, joined)
        if not seen and (len(set(joined)) == len(joined) or not self.dedupe.enabled):
            whole = zip(submissions, digests, strict=True)
            parts = [Part(each.envelope, each.raws, own, each.raw_bytes) for each, own in whole]
            return parts, [Appended(len(each.raws), 0) for each in submissions]
        known = {joined[index] for index in seen}
        parts = [_new_part(each, own, known) for each, own in zip(submissions, digests, strict=True)]
        pairs = zip(parts, submissions, strict=True)
        answers = [Appended(len(part.raws), len(each.raws) - len(part.raws)) for part, each in pairs]
        return [part for part in parts if part.raws], answers

    def _insert(self, connection: sqlite3.Connection, parts: Sequence[Part], offset: int) -> tuple[Batch, int]:
        raws = list(chain.from_iterable(part.raws for part in parts))
        counts = [len(part.raws) for part in parts]
        batch, body = encode(self.compressor, offset, [part.envelope for part in parts], counts, raws)
        received_at_ms = max(part.envelope.received_at_ms for part in parts)
        digests = b"".join(chain.from_iterable(part.digests for part in parts))
        connection.execute(CHUNKS["insert"], (offset, len(raws), received_at_ms, len(batch.blob), body))
        connection.execute(CHUNKS["insert_ids"], (offset, received_at_ms, digests))
        return batch, len(body)


def _new_part(submission: Submission, digests: Sequence[bytes], known: set[bytes]) -> Part:
    """The events whose digest is not in `known`, which gains them."""
    raws: list[bytes] = []
    kept: list[bytes] = []
    for raw, digest in zip(submission.raws, digests, strict=True):
        if digest not in known:
            known.add(digest)
            raws.append(raw)
            kept.append(digest)
    return Part(submission.envelope, raws, kept, sum(map(len, raws)))


def _grouped(parts: Sequence[Part]) -> Iterator[Sequence[Part]]:
    """The parts in groups of one chunk each."""
    group: list[Part] = []
    events = raw_bytes = 0
    for part in chain.from_iterable(map(_split, parts)):
        events += len(part.raws)
        raw_bytes += part.raw_bytes
        if group and (raw_bytes > MAX_CHUNK_BYTES or events > MAX_CHUNK_EVENTS):
            yield group
            group, events, raw_bytes = [], len(part.raws), part.raw_bytes
        group.append(part)
    if group:
        yield group


def _split(part: Part) -> Iterator[Part]:
    """A part that is too large for one chunk in several; every other one as it is."""
    if part.raw_bytes <= MAX_CHUNK_BYTES and len(part.raws) <= MAX_CHUNK_EVENTS:
        yield part
        return
    start, size = 0, 0
    for at, raw in enumerate(part.raws):
        if at > start and (size + len(raw) > MAX_CHUNK_BYTES or at - start == MAX_CHUNK_EVENTS):
            yield Part(part.envelope, part.raws[start:at], part.digests[start:at], size)
            start, size = at, 0
        size += len(raw)
    yield Part(part.envelope, part.raws[start:], part.digests[start:], size)
