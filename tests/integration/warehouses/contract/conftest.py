"""Every test that asks for a `place` is held at each of them, one after the other."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.integration.warehouses.support.places.place import NewSettings, Place, PlaceKind
from tests.integration.warehouses.support.places.registry import PLACES
from tests.integration.warehouses.support.store import OpenStore, Store

ALWAYS = ("test_tables", "test_duplicates", "test_kills")
"""Modules whose tests a slow kind is held to each time."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "place" in metafunc.fixturenames:
        test = metafunc.function.__name__
        is_of_two = metafunc.module.__name__.endswith("test_two_gateways")
        kinds = [kind for kind in PLACES if test not in kind.left_out and (kind.serves_many or not is_of_two)]
        is_short = metafunc.module.__name__.endswith(ALWAYS)
        params = [pytest.param(kind, marks=[pytest.mark.soak] * (kind.is_slow and not is_short)) for kind in kinds]
        metafunc.parametrize("place", params, indirect=True, ids=[kind.name for kind in kinds])


@pytest.fixture(scope="session")
def served() -> Iterator[Callable[[str], NewSettings]]:
    """What makes new places of a kind; its server is started by the first test that needs it."""
    kinds = {kind.name: kind for kind in PLACES}
    with ExitStack() as servers:
        yield cache(lambda name: servers.enter_context(kinds[name].serve()))


@pytest.fixture
def place(request: pytest.FixtureRequest, served: Callable[[str], NewSettings], tmp_path: Path) -> Place:
    """An empty warehouse, of the kind that it is this test's turn for."""
    kind: PlaceKind = request.param
    return Place(kind, served(kind.name)(tmp_path))


@pytest.fixture
async def open_store(place: Place) -> AsyncIterator[OpenStore]:
    """Opens the test's warehouse, as one more gateway."""
    async with AsyncExitStack() as stack:

        async def open_it(**settings: Any) -> Store:
            return Store(await stack.enter_async_context(place.open(**settings)))

        yield open_it


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()
