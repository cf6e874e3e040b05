"""Values of a client's JSON, read without trusting them: what is not what its field says counts as absent."""

import re
from typing import Any

from gateway.collect.lenient import Number, RefusedError, clean, dump
from gateway.collect.refusals import MAX_DEPTH

Fields = dict[str, Any]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MAX_WHOLE_DIGITS = 18
_DEPTH_IN_FRAME = 2
"""An event is judged within a list within an object."""


def text_of(value: Any) -> str:
    """A text, or a number as it was written; empty for anything else."""
    if isinstance(value, Number):
        return dump(value).decode()
    return value if isinstance(value, str) else ""


def object_of(value: Any) -> Fields:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def number_of(text: str) -> Any:
    """A text that is a JSON number as that number, digit by digit; any other as it is."""
    return Number(text.encode()) if _NUMBER.fullmatch(text) else text


def whole_of(value: Any) -> int | None:
    """A number, or a text of digits, without its fraction; None for anything else, and for what no clock says."""
    text = text_of(value).partition(".")[0]
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_WHOLE_DIGITS else None


def said(fields: Fields) -> Fields:
    """The fields that say something: not null, not an empty text, not an empty object."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", {})}


def storable(event: Fields) -> Fields:
    """The event, cleaned. One that is nested too deep to be written becomes one that is refused for that alone: it must
    not take its batch with it."""
    try:
        cleaned: Fields = clean(event, _DEPTH_IN_FRAME)[0]
    except RefusedError:
        depth = MAX_DEPTH + 1
        kept = {"type": "page", "userId": "-", "messageId": text_of(event.get("messageId"))}
        return {**said(kept), "-": Number(b"[" * depth + b"]" * depth)}
    return cleaned
