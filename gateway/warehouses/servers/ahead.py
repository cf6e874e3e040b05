"""One thing is made while the one before is used."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def made_ahead(things: Iterator[T]) -> Generator[T]:
    """The same things, each made in a thread of its own beside what is done with the one before.

    Closing it waits for the one that is being made.
    """
    with ThreadPoolExecutor(1, "warehouse.ahead") as maker:
        following = maker.submit(next, things, None)
        while (thing := following.result()) is not None:
            following = maker.submit(next, things, None)
            yield thing
