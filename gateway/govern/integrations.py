"""The `integrations` object of an event: what its sender says about which tools are to be told. Pure.

Source: Segment's spec, "Common fields" and "Filtering with the integrations object": names lead to true, false or to
options for that tool; `All` speaks for those that are not named. It does not speak for warehouses.
"""

from collections.abc import Collection, Mapping
from typing import Any

from gateway.model.event import Event

_ALL = "all"


def wants(event: Event, names: Collection[str], *, heeds_all: bool = True) -> bool:
    """Whether the sender lets the tool with one of these names be told. Names are `plain`."""
    said = event.get("integrations")
    if not isinstance(said, Mapping) or not said:
        return True
    answer = _answer(said, names)
    if answer is None and heeds_all:
        answer = _answer(said, (_ALL,))
    if isinstance(answer, Mapping):  # Segment's way to switch warehouses off
        return answer.get("all") is not False
    return answer is not False


def options(event: Event, name: str) -> Mapping[str, Any]:
    """What the sender says to the tool with this name; empty where it says nothing."""
    said = event.get("integrations")
    answer = _answer(said, (plain(name),)) if isinstance(said, Mapping) else None
    return answer if isinstance(answer, Mapping) else {}


def plain(name: str) -> str:
    """A name without what people write differently: "Google Analytics 4" is google-analytics-4."""
    return "".join(each for each in name.lower() if each.isalnum())


def _answer(said: Mapping[str, Any], names: Collection[str]) -> Any:
    return next((answer for name, answer in said.items() if plain(name) in names), None)
