"""Which events an owner lets go to a destination. Pure; compiled once for each destination's settings."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from re import Pattern
from re import compile as compile_pattern
from typing import Any

import xxhash

from gateway.config import Condition, Match, Rule
from gateway.model.event import Event

BOTS = "bot"

Test = Callable[[Event, str], bool]
"""Whether something is true of an event of a source."""

_MISSING = object()


def compiled(rules: Sequence[Rule]) -> Callable[[Event, str], str]:
    """Tells the name of the first rule that keeps an event of a source back; empty where none does."""
    tests = [(rule.name, _match(rule.drop_if or rule.drop_unless), rule.drop_if is not None) for rule in rules]
    if not tests:
        return lambda _event, _source: ""

    def kept_back_by(event: Event, source: str) -> str:
        return next((name for name, test, drops in tests if test(event, source) == drops), "")

    return kept_back_by


def look_up(event: Mapping[str, Any], path: Sequence[str]) -> Any:
    """The value at a path of keys, or a marker that is equal to nothing else."""
    value: Any = event
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return _MISSING
        value = value[key]
    return value


def share_of(event: Event) -> float:
    """Where a person stands between 0 and 1: always at the same place, on every gateway."""
    person = event.get("userId") or event.get("anonymousId") or event["messageId"]
    return xxhash.xxh64_intdigest(str(person).encode(errors="replace")) / 2**64


def _match(match: Match | None) -> Test:
    assert match is not None, "a rule has either drop_if or drop_unless"
    tests = [*_plain_tests(match), *map(_condition, match.where)]
    return lambda event, source: all(test(event, source) for test in tests)


def _plain_tests(match: Match) -> list[Test]:
    tests: list[Test] = []
    if match.types:
        tests.append(lambda event, _: event["type"] in match.types)
    if match.sources:
        tests.append(lambda _, source: source in match.sources)
    if match.events:
        patterns = _patterns(match.events)
        tests.append(lambda event, _: _fits(event.get("event") or event.get("name"), patterns))
    if match.countries:
        tests.append(lambda event, _: look_up(event, ("context", "location", "country")) in match.countries)
    if match.bots is not None:
        tests.append(lambda event, _: bool(event["context"].get(BOTS)) == match.bots)
    if match.share is not None:
        share = match.share
        tests.append(lambda event, _: share_of(event) < share)
    return tests


def _condition(condition: Condition) -> Test:
    path = condition.field.split(".")
    tests = _value_tests(condition)

    def test(event: Event, _source: str) -> bool:
        value = look_up(event, path)
        return all(test(value) for test in tests)

    return test


def _value_tests(condition: Condition) -> list[Callable[[Any], bool]]:
    tests: list[Callable[[Any], bool]] = []
    if condition.exists is not None:
        tests.append(lambda value: (value is not _MISSING and value is not None) == condition.exists)
    if condition.equals is not None:
        tests.append(lambda value: _same(value, condition.equals))
    if condition.one_of:
        tests.append(lambda value: any(_same(value, each) for each in condition.one_of))
    if condition.none_of:
        tests.append(lambda value: not any(_same(value, each) for each in condition.none_of))
    if condition.matches:
        patterns = _patterns(condition.matches)
        tests.append(lambda value: _fits(value, patterns))
    above, below = condition.above, condition.below
    if above is not None:
        tests.append(lambda value: _is_number(value) and value > above)
    if below is not None:
        tests.append(lambda value: _is_number(value) and value < below)
    return tests


def _same(value: Any, wanted: Any) -> bool:
    """1 and true are equal to Python, and not to the owner."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _patterns(globs: Sequence[str]) -> list[Pattern[str]]:
    return [compile_pattern(translate(glob)) for glob in globs]


def _fits(value: Any, patterns: Sequence[Pattern[str]]) -> bool:
    return isinstance(value, str) and any(pattern.fullmatch(value) for pattern in patterns)
