"""Sixteen bytes that stand for a source and a message id.

128 bits of a keyed hash: the write key is public, so ids are hostile input, and nobody without the seed, which never
leaves the database, can make two of them meet by design; by chance it takes some 10^19 of them.
"""

from collections.abc import Sequence

import numpy as np
import xxhash

from gateway.queue.id_filter import Keys

DIGEST_BYTES = 16


def digests_of(source: str, message_ids: Sequence[str], seed: int) -> list[bytes]:
    """One digest for each id, in order. The same id from another source is another digest."""
    return digests_of_requests([(source, message_ids)], seed)


def digests_of_requests(requests: Sequence[tuple[str, Sequence[str]]], seed: int) -> list[bytes]:
    """The digests of several requests' ids, one after the other; each request is its source and its ids."""
    digest = xxhash.xxh3_128_digest
    prefixes = {source: source.encode() + b"\0" for source, _ in requests}
    try:
        return [
            digest(prefixes[source] + message_id.encode(), seed)
            for source, message_ids in requests
            for message_id in message_ids
        ]
    except UnicodeEncodeError:  # a lone surrogate: an id all the same
        return [
            digest(prefixes[source] + message_id.encode("utf-8", "surrogatepass"), seed)
            for source, message_ids in requests
            for message_id in message_ids
        ]


def keys_of(joined: bytes) -> Keys:
    """Digests back to back as the two words of each."""
    return np.frombuffer(joined, "<u8").reshape(-1, 2)


def position_of(digest: bytes, joined: bytes) -> int:
    """Index of a digest among digests back to back; -1 if it is not there."""
    at = joined.find(digest)
    while at % DIGEST_BYTES and at >= 0:
        at = joined.find(digest, at + 1)
    return at // DIGEST_BYTES


def split(joined: bytes) -> list[bytes]:
    """Digests back to back, one by one."""
    return [joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)]
