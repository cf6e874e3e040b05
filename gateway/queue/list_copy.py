"""A copy of the suppression list in a file beside the database: the list must outlive a database that was damaged.

Written whole after each change of the list, so a crash leaves the old copy or the new one; the database's own list is
the one that counts, and the copy is brought up to it at each start. It holds a key and digests, and names nobody.
"""

import os
from pathlib import Path

import structlog

from gateway.govern import KEY_BYTES, Suppression
from gateway.govern.suppression import DIGEST_BYTES

FILE = "suppressed"


def write_copy(directory: Path, suppression: Suppression) -> None:
    """Bring the copy up to the list. A disk that refuses costs the copy, not the order, and is logged."""
    try:
        _replace(directory / FILE, suppression.key + b"".join(sorted(suppression.digests)))
    except OSError as error:
        structlog.get_logger().warning("queue.suppression_not_copied", error=str(error))


def read_copy(directory: Path) -> Suppression | None:
    """The copied list; None where there is none, or one that was not written by us."""
    try:
        content = (directory / FILE).read_bytes()
    except OSError:
        return None
    digests = content[KEY_BYTES:]
    if len(content) < KEY_BYTES or len(digests) % DIGEST_BYTES:
        return None
    starts = range(0, len(digests), DIGEST_BYTES)
    return Suppression(content[:KEY_BYTES], (digests[start : start + DIGEST_BYTES] for start in starts))


def _replace(path: Path, content: bytes) -> None:
    """On disk when this returns."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
