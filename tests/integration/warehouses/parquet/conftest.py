from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gateway.warehouses.parquet import ParquetSettings
from tests.integration.warehouses.support.objects import Objects
from tests.integration.warehouses.support.published import Published

NewSettings = Callable[..., ParquetSettings]
ReadBack = Callable[[], Published]


@pytest.fixture
def settings(objects: Objects, tmp_path: Path) -> NewSettings:
    """Those of a gateway whose state is the test's own; another name is another gateway."""

    def of(gateway: str = "gateway", **more: Any) -> ParquetSettings:
        state = tmp_path / f"{gateway}.duckdb"
        return ParquetSettings.model_validate(objects.place(state=state, **more))

    return of


@pytest.fixture
def read_back(objects: Objects, tmp_path: Path) -> ReadBack:
    """What is in the place now."""
    numbers = count()
    return lambda: Published(objects.contents(), tmp_path / f"read-{next(numbers)}")
