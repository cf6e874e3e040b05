"""Ids of visitors of whom nothing is kept."""

import re

import pytest

from gateway.collect.cookies import is_storable
from gateway.collect.daily_ids import DailyIds

TRACES = ("web", "203.0.113.7", "Mozilla/5.0")
TODAY = 20_800


def test_a_visitor_is_the_same_all_day_and_someone_else_on_the_next():
    ids = DailyIds()
    first = ids.of(TODAY, TRACES)

    assert ids.of(TODAY, list(TRACES)) == first
    assert ids.of(TODAY + 1, TRACES) != first


@pytest.mark.parametrize(
    "traces",
    [
        ("app", "203.0.113.7", "Mozilla/5.0"),
        ("web", "203.0.113.8", "Mozilla/5.0"),
        ("web", "203.0.113.7", "Mozilla/5.1"),
        ("web203.0.113.7", "", "Mozilla/5.0"),
        ("web", "203.0.113.7Mozilla/5.0", ""),
    ],
)
def test_other_traces_are_another_visitor(traces: tuple[str, ...]):
    ids = DailyIds()

    assert ids.of(TODAY, traces) != ids.of(TODAY, TRACES)


def test_who_has_the_traces_but_not_the_salt_cannot_find_the_id():
    assert DailyIds().of(TODAY, TRACES) != DailyIds().of(TODAY, TRACES)


def test_the_salt_of_a_day_is_gone_once_the_day_is_over():
    ids = DailyIds()
    first = ids.of(TODAY, TRACES)
    ids.of(TODAY + 1, TRACES)

    assert ids.of(TODAY, TRACES) != first, "not even a clock that is set back brings it back"


@pytest.mark.parametrize("agent", ["", "\udcff\udc80", "\0", "é" * 10_000])
def test_any_header_is_a_trace(agent: str):
    found = DailyIds().of(TODAY, ("web", "203.0.113.7", agent))

    assert re.fullmatch("[0-9a-f]{32}", found)
    assert is_storable(found)
