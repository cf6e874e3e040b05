"""What stands between the braces of a template's placeholder. Pure.

    traits.email or context.traits.email | lower | sha256
    properties.total | number | 0

A path of keys, perhaps more paths after `or`, of which the first that leads to something counts; then steps after bars,
from left to right: a filter, or a literal, which is the default. What is missing (no such key, or null) passes by all
filters up to a default. A filter that cannot do anything with a value makes it missing.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from gateway.destinations import people
from gateway.destinations.fields import as_number, as_text, timestamp_ms
from gateway.model.event import from_epoch_ms, to_iso

MISSING: Final = object()
"""The value of what is not there."""
ITEM = "item"
"""Within a table that is repeated: the member of the list."""
ROOTS = frozenset({
    "anonymousId", "category", "channel", "context", "event", "groupId", "integrations", "messageId", "name",
    "originalTimestamp", "previousId", "properties", "receivedAt", "sentAt", "timestamp", "traits", "type", "userId",
    "version",
})  # fmt: skip
"""With what a path may begin: the fields of the Segment spec."""

Step = Callable[[Any], Any]

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_KEY = r"""[\w$-]+|\*|"[^"]+"|'[^']+'"""
_PATH = rf"[^\W\d][\w$-]*(?:\.(?:{_KEY}))*"
_TOKEN = re.compile(
    rf"""\s*(?:(?P<bar>\|)|(?P<text>"[^"]*"|'[^']*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>{_PATH}))\s*"""
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class Encoded(str):
    """Percent-encoded already: an address takes it as it is."""

    __slots__ = ()


class _Token(NamedTuple):
    kind: str
    text: str


def pieces(source: str) -> tuple[list[str], list[str]]:
    """The literal pieces of a text, and between each two of them the inside of a placeholder.

    Raises ValueError where a brace has no counterpart.
    """
    split = _PLACEHOLDER.split(source)
    if any("{{" in literal or "}}" in literal for literal in split[::2]):
        raise ValueError("a placeholder begins with {{ and ends with }}; one of the two is missing")
    return split[::2], split[1::2]


def expression(source: str, roots: Collection[str]) -> Callable[[Mapping[str, Any]], Any]:
    """Gives the value for an event, or MISSING. Raises ValueError that says what cannot be understood."""
    first, *rest = _stages(source)
    words = [token.text for token in first if token.kind == "word"]
    if len(words) != len(first) or len(first) % 2 == 0 or any(word != "or" for word in words[1::2]):
        raise ValueError("begin with a path, like properties.total, or with several and the word or between them")
    paths = [_path(word, roots) for word in words[::2]]
    steps = [_step(stage) for stage in rest]

    def value_of(scope: Mapping[str, Any]) -> Any:
        found = (_found(scope, path) for path in paths)
        value = next((each for each in found if each is not MISSING), MISSING)
        for step in steps:
            value = step(value)
        return value

    return value_of


def written(value: Any) -> str:
    """A value within a longer text: texts as they are, tables and lists as JSON, null as nothing."""
    if isinstance(value, str):
        return value
    return "" if value is None else as_text(value) or orjson.dumps(value).decode()


def _stages(source: str) -> list[list[_Token]]:
    stages: list[list[_Token]] = [[]]
    position = 0
    while position < len(source):
        found = _TOKEN.match(source, position)
        if found is None and source[position:].strip():
            raise ValueError(f'cannot understand "{source[position:].strip()}"')
        if found is None:
            break
        position = found.end()
        kind = found.lastgroup or ""
        if kind == "bar":
            stages.append([])
        else:
            stages[-1].append(_Token(kind, found[kind]))
    return stages


def _path(word: str, roots: Collection[str]) -> list[str]:
    path = [key.strip("\"'") for key in re.findall(_KEY, word)]
    if path[0] not in roots:
        if path[0] == ITEM:
            raise ValueError('there is an item only in a table that has "$each"')
        hint = _guess(path[0], roots) or f"paths begin with {', '.join(sorted(roots))}"
        raise ValueError(f'an event has no "{path[0]}"; {hint}')
    return path


def _step(stage: Sequence[_Token]) -> Step:
    if len(stage) != 1:
        raise ValueError("write one filter, or one default, after each bar")
    kind, text = stage[0]
    if kind == "text":
        return _default(text[1:-1])
    if kind == "number":
        return _default(float(text) if "." in text else int(text))
    if text in _CONSTANTS:
        return _default(_CONSTANTS[text])
    if text in FILTERS:
        return _filter(FILTERS[text])
    hint = _guess(text, FILTERS) or f"there are {', '.join(FILTERS)}; a text as default stands in quotes"
    raise ValueError(f'there is no filter "{text}"; {hint}')


def _default(literal: Any) -> Step:
    return lambda value: literal if value is MISSING else value


def _filter(change: Step) -> Step:
    def step(value: Any) -> Any:
        changed = None if value is MISSING else change(value)
        return MISSING if changed is None else changed

    return step


def _found(value: Any, path: Sequence[str]) -> Any:
    if not path:
        return MISSING if value is None else value
    key, *rest = path
    if isinstance(value, Mapping):
        return _found(value.get(key), rest)
    if isinstance(value, list) and key == "*":
        members = [_found(member, rest) for member in value]
        return [member for member in members if member is not MISSING] or MISSING
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return _found(value[int(key)], rest)
    return MISSING


def _of_text(change: Callable[[str], Any]) -> Step:
    """A filter for texts and numbers; spaces around them go."""

    def changed(value: Any) -> Any:
        text = as_text(value)
        return None if text is None else change(text)

    return changed


def _of_time(shape: Callable[[int], Any]) -> Step:
    """A filter for times: ISO 8601, or a number since the epoch."""

    def changed(value: Any) -> Any:
        moment_ms = timestamp_ms(value)
        return None if moment_ms is None else shape(moment_ms)

    return changed


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


FILTERS: Mapping[str, Step] = {
    "text": written,
    "number": as_number,
    "trim": _of_text(str),
    "lower": _of_text(str.lower),
    "upper": _of_text(str.upper),
    "sha256": _of_text(people.sha256),
    "md5": _of_text(_md5),
    "iso": _of_time(lambda moment_ms: to_iso(from_epoch_ms(moment_ms))),
    "date": _of_time(lambda moment_ms: to_iso(from_epoch_ms(moment_ms))[:10]),
    "unix": _of_time(lambda moment_ms: moment_ms // 1000),
    "unix_ms": _of_time(lambda moment_ms: moment_ms),
    "json": lambda value: orjson.dumps(value).decode(),
    "urlencode": lambda value: Encoded(quote(written(value), safe="", errors="replace")),
}
"""What can be done to a value; None says that it cannot be done to this one."""


def _guess(word: str, known: Collection[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f'did you mean "{close[0]}"?' if close else ""
