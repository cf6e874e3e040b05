"""Which fields of an event go along to a destination. Pure: what is left out or renamed is so in a copy."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from gateway.config import FieldRules
from gateway.model.event import Event

Path = Sequence[str]


def compiled(rules: FieldRules) -> Callable[[Event], Event] | None:
    """What makes the event that goes along; None where everything does."""
    allowed = [path.split(".") for path in rules.allow]
    denied = [path.split(".") for path in rules.deny]
    renamed = [(old.split("."), new.split(".")) for old, new in rules.rename.items()]
    if not (allowed or denied or renamed):
        return None

    def shaped(event: Event) -> Event:
        if allowed:
            event = _only(event, allowed)
        if denied:
            event = _without(event, denied)
        for old, new in renamed:
            event = _moved(event, old, new)
        return event

    return shaped


def _only(event: Event, allowed: Sequence[Path]) -> Event:
    """Of each table that a path leads into, nothing but what paths lead to."""
    result = dict(event)
    for table in {path[0] for path in allowed}:
        value = event.get(table)
        inside = [path[1:] for path in allowed if path[0] == table]
        if isinstance(value, Mapping) and all(inside):
            result[table] = _kept(value, inside)
    return result


def _kept(table: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    kept = {}
    for key, value in table.items():
        inside = [path[1:] for path in paths if fnmatchcase(key, path[0])]
        if not inside:
            continue
        found = _reached(value, inside) if all(inside) else value
        if found is not None:
            kept[key] = found
    return kept


def _reached(value: Any, paths: Sequence[Path]) -> Any:
    """What paths lead to within a value; None where they lead nowhere."""
    if isinstance(value, Mapping):
        return _kept(value, paths)
    if isinstance(value, list):
        found = [_reached(member, _through_list(paths)) for member in value]
        return [member for member in found if member is not None]
    return None


def _through_list(paths: Sequence[Path]) -> list[Path]:
    """A path leads through a list as if each member stood there; `*` may stand for the member."""
    return [*paths, *(path[1:] for path in paths if path[0] == "*" and len(path) > 1)]


def _without(table: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, Any]:
    result = {}
    for key, value in table.items():
        inside = [path[1:] for path in paths if fnmatchcase(key, path[0])]
        if all(inside):
            result[key] = _rid(value, inside) if inside else value
    return result


def _rid(value: Any, paths: Sequence[Path]) -> Any:
    if isinstance(value, Mapping):
        return _without(value, paths)
    return [_rid(member, _through_list(paths)) for member in value] if isinstance(value, list) else value


def _moved(event: Event, old: Path, new: Path) -> Event:
    """The value at `old` is at `new`; where there is none, nothing changes."""
    holder: Any = event
    for key in old[:-1]:
        holder = holder.get(key) if isinstance(holder, Mapping) else None
    if not isinstance(holder, Mapping) or old[-1] not in holder:
        return event
    return _put(_without(event, [[_literal(key) for key in old]]), new, holder[old[-1]])


def _put(table: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    inside = table.get(path[0])
    below = inside if isinstance(inside, Mapping) else {}
    return {**table, path[0]: _put(below, path[1:], value) if path[1:] else value}


def _literal(key: str) -> str:
    """A pattern that fits this key alone."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in key)
