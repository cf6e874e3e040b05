"""One thing is made while the one before is used."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from gateway.warehouses.servers.ahead import made_ahead


def test_all_come_in_their_order():
    assert list(made_ahead(iter(range(1, 100)))) == list(range(1, 100))
    assert list(made_ahead(iter(()))) == []


def test_the_next_is_made_while_one_is_used():
    is_used = threading.Event()

    def things() -> Iterator[str]:
        yield "first"
        assert is_used.wait(10)
        yield "second"

    made = made_ahead(things())
    assert next(made) == "first"
    is_used.set()
    assert next(made) == "second"


def test_what_goes_wrong_is_told_in_its_turn():
    def things() -> Iterator[str]:
        yield "first"
        raise ValueError("no second")

    made = made_ahead(things())

    assert next(made) == "first"
    with pytest.raises(ValueError, match="no second"):
        next(made)


def test_closing_waits_for_what_is_being_made():
    made: list[str] = []
    is_closing = threading.Event()

    def things() -> Iterator[str]:
        yield "first"
        is_closing.wait(0.2)
        made.append("second")
        yield "second"

    with closing(made_ahead(things())) as ahead:
        next(ahead)

    assert made == ["second"]
