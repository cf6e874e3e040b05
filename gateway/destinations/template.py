"""Templates: JSON whose texts hold placeholders that an event fills. Pure: nothing is run, keys alone are looked up.

    {"email": "{{ traits.email | lower }}", "note": "Order {{ properties.order_id }} of {{ properties.total | 0 }}"}

template_expression.py says what may stand between the braces. A text that is nothing but one placeholder becomes the
field's own value, of any type; within a longer text the value is written out. Where the value is missing, the key, the
member of a list or the whole of the longer text is left out, and so is a table or a list of which nothing is left.

A table with `"$each" = "properties.products"` becomes a list: the rest of it once for each member, which is `item`. As
a member of a list it gives that list all of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from gateway.destinations.template_expression import ITEM, MISSING, ROOTS, expression, pieces, written

K = TypeVar("K")
T = TypeVar("T")

EACH = "$each"

Render = Callable[[Mapping[str, Any]], Any]
Finish = Callable[[Any, str], Any]
"""Given what a placeholder brings, or MISSING, and the key below which it stands: what stands there."""


@dataclass(frozen=True)
class Template:
    """A template that is known to be sound."""

    source: Any = field(repr=False)
    """As it stands in the configuration, where it may hold secrets."""
    render: Render = field(repr=False, compare=False)
    """The JSON for an event, or MISSING."""


@dataclass(frozen=True)
class _Place:
    """Where in a template something stands, and what holds there."""

    finish: Finish
    path: str = ""
    key: str = ""
    roots: frozenset[str] = ROOTS

    def below(self, key: str, *more_roots: str) -> "_Place":
        return _Place(self.finish, f"{self.path}.{key}" if self.path else key, key, self.roots.union(more_roots))

    def fault(self, words: str) -> ValueError:
        return ValueError(f"{self.path}: {words}" if self.path else words)


def compiled(source: Any, finish: Finish = lambda value, _: value) -> Template:
    """The template. Raises ValueError that says what is wrong, and at which key."""
    return Template(source, _node(source, _Place(finish)))


def _node(source: Any, place: _Place) -> Render:
    if isinstance(source, str):
        return _text(source, place)
    if isinstance(source, Mapping):
        return _table(source, place)
    if isinstance(source, list | tuple):
        return _list(source, place)
    if source is None or isinstance(source, bool | int | float):
        return lambda _: source
    raise place.fault("write dates and times as texts")


def _together(parts: Mapping[K, Callable[[], T]]) -> dict[K, T]:
    """All parts, compiled. Raises ValueError with the faults of all that have one."""
    made: dict[K, T] = {}
    faults: list[str] = []
    for key, make in parts.items():
        try:
            made[key] = make()
        except ValueError as error:
            faults.append(str(error))
    if faults:
        raise ValueError("; ".join(faults))
    return made


def _table(source: Mapping[str, Any], place: _Place) -> Render:
    if any("{{" in key for key in source):
        raise place.fault("a key cannot hold a placeholder")
    more_roots = (ITEM,) if EACH in source else ()
    inside = {key: value for key, value in source.items() if key != EACH}
    fields = _together({key: partial(_node, value, place.below(key, *more_roots)) for key, value in inside.items()})

    def fill(scope: Mapping[str, Any]) -> Any:
        values = {key: render(scope) for key, render in fields.items()}
        return _left({key: value for key, value in values.items() if value is not MISSING}, fields)

    return _each(source[EACH], fill, place) if EACH in source else fill


def _each(path: Any, fill: Render, place: _Place) -> Render:
    if not isinstance(path, str):
        raise place.below(EACH).fault('write the path of a list, like "properties.products"')
    members = _expression(path, place.below(EACH))

    def filled(scope: Mapping[str, Any]) -> Any:
        found = members(scope)
        values = [fill({**scope, ITEM: member}) for member in (found if isinstance(found, list) else ())]
        return [value for value in values if value is not MISSING] or MISSING

    return filled


def _list(source: Sequence[Any], place: _Place) -> Render:
    places = enumerate(source)
    members = _together({at: partial(_members, value, place.below(str(at))) for at, value in places}).values()

    def fill(scope: Mapping[str, Any]) -> Any:
        return _left([value for several in members for value in several(scope) if value is not MISSING], members)

    return fill


def _members(source: Any, place: _Place) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    render = _node(source, place)
    if not isinstance(source, Mapping) or EACH not in source:
        return lambda scope: (render(scope),)

    def several(scope: Mapping[str, Any]) -> Sequence[Any]:
        value = render(scope)
        return value if isinstance(value, list) else ()

    return several


def _left(kept: Any, written_by_the_owner: Any) -> Any:
    """What is left, unless that is nothing; what the owner wrote empty stays empty."""
    return kept if kept or not written_by_the_owner else MISSING


def _text(source: str, place: _Place) -> Render:
    try:
        literals, inner = pieces(source)
    except ValueError as error:
        raise place.fault(str(error)) from None
    values = [_expression(each, place) for each in inner]
    if not values:
        return lambda _: source
    if literals == ["", ""]:
        return lambda scope: place.finish(values[0](scope), place.key)

    def fill(scope: Mapping[str, Any]) -> Any:
        found = [place.finish(value(scope), place.key) for value in values]
        if any(value is MISSING for value in found):
            return MISSING
        texts = [written(value) for value in found]
        return literals[0] + "".join(text + literal for text, literal in zip(texts, literals[1:], strict=True))

    return fill


def _expression(source: str, place: _Place) -> Render:
    try:
        return expression(source, place.roots)
    except ValueError as error:
        raise place.fault(f"{{{{{source}}}}}: {error}") from None
