"""Changes of an event at the paths that an owner names. Pure: what changes does so in a copy, the rest is shared.

A path is keys from the event inwards. `*` stands for any key or a part of one, and a path leads through a list as if
each member stood there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

Path = Sequence[str]
Change = Callable[[Any], Any]
"""From the value at a path to what stands there afterwards; GONE takes it out."""

GONE = object()
_WILD = frozenset("*?[")
_SET_ASIDE = ("context", "gateway", "setAside")
"""Where intake keeps what stood in an object's place, under the name of that: "properties", "context.traits"."""


def parsed(paths: Sequence[str]) -> list[Path]:
    """Paths from their text, and where intake would have put what they lead to."""
    found: list[Path] = []
    for text in paths:
        keys = tuple(text.split("."))
        found += [keys, (*_SET_ASIDE, *keys)]
        if keys[0] == "context" and len(keys) > 1:
            found.append((*_SET_ASIDE, ".".join(keys[:2]), *keys[2:]))
    return found


def changed_at(table: Mapping[str, Any], paths: Sequence[Path], change: Change) -> Mapping[str, Any]:
    """The table with what is at the paths changed; itself, where nothing is."""
    result: dict[str, Any] | None = None
    for key, inside in _reached(table, paths):
        before = table[key]
        after = change(before) if () in inside else _each(before, inside, change)
        if after is before:
            continue
        result = dict(table) if result is None else result
        if after is GONE:
            del result[key]
        else:
            result[key] = after
    return table if result is None else result


def _reached(table: Mapping[str, Any], paths: Sequence[Path]) -> Iterator[tuple[str, list[Path]]]:
    """The keys that paths lead through or to, each with what is left of those paths."""
    inside: dict[str, list[Path]] = {}
    for path in paths:
        first, rest = path[0], path[1:]
        if _WILD.isdisjoint(first):
            if first in table:
                inside.setdefault(first, []).append(rest)
        else:
            for key in table:
                if fnmatchcase(key, first):
                    inside.setdefault(key, []).append(rest)
    yield from inside.items()


def _each(value: Any, paths: Sequence[Path], change: Change) -> Any:
    if isinstance(value, Mapping):
        return changed_at(value, paths, change)
    if not isinstance(value, list):
        return value
    members = [_each(member, paths, change) for member in value]
    return members if any(new is not old for new, old in zip(members, value, strict=True)) else value
