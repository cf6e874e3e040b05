"""JSON values and the column types they fit."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

import orjson

from gateway.model.event import parse_time

MAX_DEPTH = 4
"""Objects nested deeper than this stay JSON in one column."""

Path = tuple[str, ...]


class ColumnType(Enum):
    """The types of columns; each warehouse has its own words for them."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    """64 bits, signed."""
    NUMBER = "number"
    """A double."""
    MOMENT = "moment"
    """A timestamp with time zone."""
    TEXT = "text"
    JSON = "json"


class Misfit(Exception):  # noqa: N818 - not an error: it says that a value goes to `_extra`
    """A value does not fit its column's type."""


ODD_NUMBER = r"[:,\[]\s*-?[0-9.]*([0-9]{16}|[0-9][eE])"
"""Finds every number that may be beyond 64 bits, beyond the doubles, or more exact than they are, and some others."""

_ODD_NUMBER = re.compile(ODD_NUMBER.encode())
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**63 - 1
MAX_EXACT_INTEGER = 2**53
"""Doubles hold every integer up to this one."""
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,38}")
"""What servers keep of those that are beyond 64 bits."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)


class Era(NamedTuple):
    """The moments that a warehouse can hold: from the first on, and before the last."""

    earliest: datetime
    latest: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether it is one of them."""
        return self.earliest <= moment < self.latest


WHOLE_ERA = Era(datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC))
"""What is taken for a moment at all, whatever the time zone."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the columns of a warehouse hold; what is beyond goes to `_extra`."""

    era: Era = WHOLE_ERA
    """Moments."""
    longest_text: int | None = None
    """Bytes of a text, within JSON too."""
    can_widen: bool = True
    """A column of integers that is stored can become one of numbers."""


ANYTHING = Capacity()
"""Of a warehouse with no bounds of its own."""


def decode(raw: bytes) -> dict[str, Any]:
    """An event as stored. A number beyond 64 bits or beyond the doubles stays text, as an orjson.Fragment."""
    is_odd = _ODD_NUMBER.search(raw) is not None
    event = json.loads(raw, parse_int=_integer, parse_float=_number) if is_odd else orjson.loads(raw)
    assert isinstance(event, dict), "intake stores objects only"
    return event


def leaves(value: Mapping[str, Any], within: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that gets a column of its own, with the keys that lead to it. Empty objects say nothing."""
    for key, inner in value.items():
        path = (*within, key)
        if isinstance(inner, dict) and len(path) < MAX_DEPTH:
            yield from leaves(inner, path)
        elif inner != {}:
            yield path, inner


def type_of(value: Any) -> ColumnType | None:
    """The narrowest type that holds the value; None where the value does not tell (null, a number beyond all)."""
    match value:
        case bool():
            return ColumnType.BOOLEAN
        case int():
            return ColumnType.INTEGER if _MIN_INTEGER <= value <= _MAX_INTEGER else None
        case float():
            return ColumnType.NUMBER
        case str():
            return ColumnType.MOMENT if _moment(value) else ColumnType.TEXT
        case dict() | list():
            return ColumnType.JSON
        case _:
            return None


def widened(old: ColumnType, new: ColumnType) -> ColumnType:
    """A type for both, for a column that holds nothing yet."""
    if old == new:
        return old
    if {old, new} == {ColumnType.INTEGER, ColumnType.NUMBER}:
        return ColumnType.NUMBER
    return ColumnType.TEXT


def fitted(value: Any, kind: ColumnType | None, era: Era = WHOLE_ERA) -> Any:
    """The value as a column of this type takes it. Raises Misfit; nothing is rounded or cut."""
    if value is None or kind is ColumnType.JSON:
        return value
    if kind is ColumnType.TEXT:
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    if kind is ColumnType.MOMENT and isinstance(value, str) and (moment := _moment(value)) and era.holds(moment):
        return as_moment(moment)
    if kind is not None and kind in _types_that_hold(value):
        return value
    raise Misfit


def bounded(value: Any, longest_text: int | None) -> Any:
    """JSON for a server that holds texts of so many bytes: a longer one is a list of its pieces.

    Such a server rounds long numbers too: one that is longer than its own is a text. Without a bound all stays.
    """
    if longest_text is None:
        return value
    match value:
        case dict():
            return {key: bounded(inner, longest_text) for key, inner in value.items()}
        case list():
            return [bounded(inner, longest_text) for inner in value]
        case str() if is_longer(value, longest_text):
            return list(_pieces(value, longest_text))
        case orjson.Fragment() if not _WHOLE_NUMBER.fullmatch(number := orjson.dumps(value).decode()):
            return number
        case _:
            return value


def is_longer(text: str, longest_text: int | None) -> bool:
    """Whether it has more bytes than a column holds."""
    return longest_text is not None and len(text) * 4 > longest_text and len(text.encode()) > longest_text


def shortened(text: str, longest_text: int) -> str:
    """As much of it as a column holds, without a part of a character."""
    return text.encode()[:longest_text].decode(errors="ignore")


def _pieces(text: str, longest_text: int) -> Iterator[str]:
    while text:
        piece = shortened(text, longest_text)
        yield piece
        text = text[len(piece) :]


def as_moment(moment: datetime) -> str | None:
    """The form of a time that the engine reads without a question; None outside of the whole era."""
    if not WHOLE_ERA.holds(moment):
        return None
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _types_that_hold(value: Any) -> tuple[ColumnType, ...]:
    match value:
        case bool():
            return (ColumnType.BOOLEAN,)
        case float():
            return (ColumnType.NUMBER,)
        case int() if abs(value) <= MAX_EXACT_INTEGER:
            return (ColumnType.INTEGER, ColumnType.NUMBER)
        case int() if _MIN_INTEGER <= value <= _MAX_INTEGER:
            return (ColumnType.INTEGER,)
        case _:
            return ()


def _moment(text: str) -> datetime | None:
    if not _MOMENT.fullmatch(text):
        return None
    moment = parse_time(text)
    return moment if moment is not None and WHOLE_ERA.holds(moment) else None


def _integer(text: str) -> int | orjson.Fragment:
    if len(text) > len(str(_MIN_INTEGER)):
        return orjson.Fragment(text)
    number = int(text)
    return number if _MIN_INTEGER <= number <= _MAX_INTEGER else orjson.Fragment(text)


def _number(text: str) -> float | orjson.Fragment:
    number = float(text)
    return number if math.isfinite(number) else orjson.Fragment(text)
