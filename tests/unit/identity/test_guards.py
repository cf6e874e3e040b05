"""Identifiers that gain too many others in an hour are frozen."""

from gateway.identity import Guards
from gateway.identity.devices import HOUR_US
from gateway.identity.evidence import Pair
from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier

HUB = Identifier(USER_ID, "admin")


def pair(number: int) -> Pair:
    return frozenset({HUB, Identifier(ANONYMOUS_ID, f"d{number}")})


def test_one_that_gains_too_many_in_an_hour_gains_nothing_more():
    guards = Guards(3)

    assert [guards.admits(pair(number), 0) for number in range(5)] == [True, True, True, False, False]
    assert not guards.admits(pair(5), 2 * HOUR_US)


def test_it_is_told_once_which_was_frozen():
    guards = Guards(1)
    for number in range(3):
        guards.admits(pair(number), 0)

    assert guards.take_frozen() == [HUB]
    assert guards.take_frozen() == []


def test_the_next_hour_counts_anew():
    guards = Guards(1)

    assert guards.admits(pair(0), HOUR_US - 1)
    assert guards.admits(pair(1), HOUR_US)


def test_what_is_frozen_in_the_warehouse_stays_frozen():
    guards = Guards(100)
    guards.frozen.add(HUB)

    assert not guards.admits(pair(0), 0)
