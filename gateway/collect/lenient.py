"""JSON as the web sends it: read whatever can be read, and write it again as JSON that every reader takes.

| in the body | becomes |
| --- | --- |
| NaN, Infinity, -Infinity | null |
| a lone surrogate (escaped) | U+FFFD |
| U+0000 in a key or a value | removed |
| invalid UTF-8 | U+FFFD |
| a byte order mark | removed |
| a control character in a string | escaped |
| a number of any size or precision | exactly as it was written |
| a repeated key | the last one |
"""

import json
import re
from typing import Any

import orjson

from gateway.collect.refusals import INVALID_JSON, MAX_DEPTH, TOO_DEEP, Refusal

Number = orjson.Fragment
"""A number as the text it was written in: neither read nor rounded."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = frozenset(b"[]{}")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in _BRACKETS)


class RefusedError(Exception):
    """The value cannot be kept; `refusal` says why. Caught in this room."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def load(body: bytes) -> tuple[Any, bool]:
    """The value in `body` with its numbers as Number, and whether reading it took a repair. Raises RefusedError.

    Strings may still hold U+0000 and lone surrogates: `clean` is the second half.
    """
    text, repaired = _text(body)
    try:
        try:
            return _STRICT.decode(text), repaired
        except ValueError:
            return _LENIENT.decode(text), True
    except ValueError:
        raise RefusedError(INVALID_JSON) from None
    except RecursionError:
        raise RefusedError(TOO_DEEP) from None


def clean(value: Any, depth: int = 0) -> tuple[Any, bool]:
    """`value` with every string storable, and whether that changed anything. Raises RefusedError below MAX_DEPTH."""
    if isinstance(value, str):
        cleaned = clean_text(value)
        return cleaned, cleaned != value
    if not isinstance(value, dict | list):
        return value, False
    if depth >= MAX_DEPTH:
        raise RefusedError(TOO_DEEP)
    if isinstance(value, list):
        items = [clean(item, depth + 1) for item in value]
        return [item for item, _ in items], any(changed for _, changed in items)
    pairs = [(clean_text(key), key, *clean(item, depth + 1)) for key, item in value.items()]
    return {key: item for key, _, item, _ in pairs}, any(changed or key != old for key, old, _, changed in pairs)


def clean_text(text: str) -> str:
    """`text` without U+0000, and with U+FFFD for each lone surrogate. Pairs and emoji are not touched."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def dump(value: Any) -> bytes:
    """`value`, cleaned, as compact JSON. Raises RefusedError when it is nested too deep to be written."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise RefusedError(TOO_DEEP) from None


def is_too_deep(raw: bytes) -> bool:
    """Whether the JSON in `raw` is nested below MAX_DEPTH. Costs two scans for the events that are not suspicious."""
    opened = raw.count(b"{") + (raw.count(b"[") if b"[" in raw else 0)
    if opened <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"{[" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _text(body: bytes) -> tuple[str, bool]:
    try:
        text, repaired = body.decode(), False
    except UnicodeDecodeError:
        text, repaired = body.decode(errors="replace"), True
    return (text[1:], True) if text.startswith("\ufeff") else (text, repaired)


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


_STRICT = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
_LENIENT = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=lambda _: None, strict=False)
