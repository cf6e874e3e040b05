from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.model.clock import SystemClock
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from tests.integration.warehouses.support.store import OpenStore, Store


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    async with AsyncExitStack() as stack:

        async def open_it(**settings: Any) -> Store:
            path = settings.pop("path", tmp_path / "warehouse.duckdb")
            opening = open_duckdb(DuckDBSettings(path=path, **settings), SystemClock())
            return Store(await stack.enter_async_context(opening), path)

        yield open_it


@pytest.fixture
async def store(open_store: OpenStore) -> Store:
    return await open_store()
