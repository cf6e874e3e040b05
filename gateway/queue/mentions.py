"""Whether text that is no event, or not a whole one, names a person: what was refused, and what destinations answered.
Pure."""

import zlib
from collections.abc import Iterable
from urllib.parse import quote

import orjson

from gateway.model.person import Known

LONG_WORD = 10
"""Bytes that stand in a text by chance no more: shorter identifiers count only between quotes, or as a whole value of a
query."""
_GZIP = b"\x1f\x8b"
_INFLATED_BYTES = 64 * 1024


class Mentions:
    """The identifiers of one person, searched in bytes. Upper and lower case are the same."""

    def __init__(self, person: Known) -> None:
        values = {
            *person.user_ids,
            *(each.anonymous_id for each in person.tenures),
            *(each.value for each in person.others),
        }
        self._words = [word for value in sorted(values) if value for word in _words(value)]

    def __call__(self, text: bytes) -> bool:
        """Whether one of them is in `text`, which may be the start of a gzip file."""
        if text.startswith(_GZIP):
            text += _inflated(text)
        text = text.lower()
        return any(word in text for word in self._words)


def _words(value: str) -> Iterable[bytes]:
    """How the value is written: as JSON with and without escapes, and in a query."""
    escaped = orjson.dumps(value.encode("ascii", "backslashreplace").decode().replace("\\x", "\\u00"))
    forms = {orjson.dumps(value), escaped.replace(b"\\\\u", b"\\u")}
    for form in forms:
        yield (form[1:-1] if len(form) >= LONG_WORD else form).lower()
    in_query = quote(value, safe="").encode().lower()
    if len(in_query) >= LONG_WORD:
        yield in_query
    else:
        yield b"=" + in_query + b"&"


def _inflated(text: bytes) -> bytes:
    """As far as the start of a gzip file can be read."""
    try:
        return zlib.decompressobj(31).decompress(text, _INFLATED_BYTES)
    except zlib.error:
        return b""
