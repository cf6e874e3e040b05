from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.integration.warehouses.support.places.bigquery import BIGQUERY
from tests.integration.warehouses.support.places.place import NewSettings, Place
from tests.integration.warehouses.support.store import Store


@pytest.fixture(scope="session")
def served() -> Iterator[NewSettings]:
    with BIGQUERY.serve() as settings:
        yield settings


@pytest.fixture
def place(served: NewSettings, tmp_path: Path) -> Place:
    """An empty warehouse."""
    return Place(BIGQUERY, served(tmp_path))


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    async with place.open() as warehouse:
        yield Store(warehouse)
