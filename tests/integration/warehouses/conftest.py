from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.model.clock import SystemClock
from gateway.warehouses.duckdb import DuckDBSettings, open_duckdb
from tests.integration.warehouses.support.objects import Objects, bucket, folder, google_bucket, s3_server
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


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3."""
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "s3", "google"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """An empty place of each kind."""
    if request.param == "folder":
        return folder(tmp_path / "objects")
    address = request.getfixturevalue("s3")
    return bucket(address) if request.param == "s3" else google_bucket(address, tmp_path)
