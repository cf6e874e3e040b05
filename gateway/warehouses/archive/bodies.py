"""What an object is made of: lines, compressed as the ending of its path says."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from io import BytesIO

import zstandard

from gateway.model.envelope import Stored
from gateway.model.errors import WarehouseError
from gateway.warehouses.archive.lines import decode

GZIP_LEVEL = 6
ZSTD_LEVEL = 9
_AT_ONCE = 64 * 2**10


def compressed(path: str, body: bytes) -> bytes:
    """The same bytes every time."""
    if path.endswith(".gz"):
        return gzip.compress(body, GZIP_LEVEL, mtime=0)
    return zstandard.ZstdCompressor(ZSTD_LEVEL).compress(body)


def lines_of(path: str, body: bytes) -> Iterator[tuple[bytes, Stored]]:
    """Each line, and what lay in the queue; all of them are never at hand at once.

    Raises WarehouseError where the object cannot be read any further.
    """
    try:
        for line in gzip.GzipFile(fileobj=BytesIO(body)) if path.endswith(".gz") else _split(_inflated(body)):
            yield line, decode(line)
    except (OSError, EOFError, ValueError, zlib.error, zstandard.ZstdError) as error:
        raise WarehouseError(f"{path} cannot be read: {error}", hint="mend or remove it; nothing else waits") from error


def _inflated(body: bytes) -> Iterator[bytes]:
    frame = zstandard.ZstdDecompressor().decompressobj()
    for start in range(0, len(body), _AT_ONCE):
        yield frame.decompress(body[start : start + _AT_ONCE])
    if not frame.eof:
        raise EOFError("it is cut off")


def _split(parts: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for part in parts:
        *lines, left = (left + part).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if left:
        yield left
