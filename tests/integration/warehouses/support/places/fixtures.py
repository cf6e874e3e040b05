"""What the tests of one kind of warehouse ask for, beside those of the contract."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.warehouses.support.places.place import NewSettings, Place, PlaceKind
from tests.integration.warehouses.support.store import Store


def fixtures_of(kind: PlaceKind) -> tuple[Any, Any, Any]:
    """`served` is what makes new places, `place` an empty warehouse, and `store` that warehouse, open."""

    @pytest.fixture(scope="session")
    def served() -> Iterator[NewSettings]:
        with kind.serve() as settings:
            yield settings

    @pytest.fixture
    def place(served: NewSettings, tmp_path: Path) -> Place:
        return Place(kind, served(tmp_path))

    @pytest.fixture
    async def store(place: Place) -> AsyncIterator[Store]:
        async with place.open() as warehouse:
            yield Store(warehouse)

    return served, place, store
