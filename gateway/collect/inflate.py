"""Compressed bodies. gzip is recognised by its first bytes: SDKs and proxies get the headers wrong."""

import zlib

from gateway.collect.refusals import BODY_TOO_LARGE, CORRUPT_BODY, UNSUPPORTED_ENCODING, Refusal

GZIP_MAGIC = b"\x1f\x8b"
_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_MAX_MEMBERS = 16  # each costs a copy of what follows it
_UNDERSTOOD = frozenset({"", "gzip", "x-gzip", "deflate", "identity"})


def inflate(body: bytes, encoding: str, max_bytes: int) -> bytes | Refusal:
    """The body without its compression. Never more than `max_bytes` are inflated, however much the body holds.

    A body that claims gzip and is not passes as it is: a proxy inflated it and left the header.
    """
    if body.startswith(GZIP_MAGIC):
        return _inflate_members(body, max_bytes)
    encoding = encoding.strip().lower()
    if encoding == "deflate" and body[:1] not in (b"{", b"["):
        inflated = _inflate(body, _ZLIB, max_bytes)
        return _inflate(body, _RAW_DEFLATE, max_bytes) if inflated is CORRUPT_BODY else inflated
    return body if encoding in _UNDERSTOOD else UNSUPPORTED_ENCODING


def _inflate_members(body: bytes, max_bytes: int) -> bytes | Refusal:
    """A gzip file may have several members, and padding of zeros after the last."""
    parts: list[bytes] = []
    while body.startswith(GZIP_MAGIC) and len(parts) < _MAX_MEMBERS:
        stream = zlib.decompressobj(_GZIP)
        part = _run(stream, body, max_bytes - sum(map(len, parts)))
        if isinstance(part, Refusal):
            return part
        parts.append(part)
        body = stream.unused_data
    return CORRUPT_BODY if body.strip(b"\0") else b"".join(parts)


def _inflate(body: bytes, window: int, max_bytes: int) -> bytes | Refusal:
    return _run(zlib.decompressobj(window), body, max_bytes)


def _run(stream: "zlib._Decompress", body: bytes, max_bytes: int) -> bytes | Refusal:
    try:
        inflated = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        return CORRUPT_BODY
    if len(inflated) > max_bytes:
        return BODY_TOO_LARGE
    return inflated if stream.eof else CORRUPT_BODY
