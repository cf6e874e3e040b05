"""Which events a part of a destination's settings speaks of: a route of `http`, a message of `slack`. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_args

from gateway.config.routing import Condition, EventCondition, EventType, Match, Rule
from gateway.config.section import Section
from gateway.govern.routing import compiled
from gateway.model.event import Event


class Selection(Section):
    """All that is said must be true of an event, and of each list one member. Where nothing is said, every event is."""

    types: tuple[EventType, ...] = ()
    events: tuple[str, ...] = ()
    """Names of track events, and of pages and screens, with * and ?."""
    where: tuple[EventCondition, ...] = ()


S = TypeVar("S", bound=Selection)


def chooser(selections: Sequence[S]) -> Callable[[Event], S | None]:
    """Finds the first selection that speaks of an event."""
    by_name = {f"n{index}": selection for index, selection in enumerate(selections)}
    matches = {
        name: Match(types=selection.types or get_args(EventType), events=selection.events, where=selection.where)
        for name, selection in by_name.items()
    }
    first = compiled([Rule(name=name, drop_if=match) for name, match in matches.items()])
    return lambda event: by_name.get(first(event, ""))


def holds(condition: Condition) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a condition is true of any JSON table."""
    test = compiled([Rule(name="it", drop_if=Match.model_construct(where=(condition,)))])
    return lambda table: bool(test(dict(table), ""))
