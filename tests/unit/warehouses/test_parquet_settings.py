"""What can be said of a place for Parquet files, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.warehouses.parquet import ParquetSettings


def test_the_state_of_a_folder_is_beside_it():
    assert ParquetSettings(url="/srv/lake/").state_path == Path("/srv/lake.duckdb")
    assert ParquetSettings(url="file:///srv/lake").state_path == Path("/srv/lake.duckdb")
    assert ParquetSettings(url="/srv/lake", state=Path("/var/state.duckdb")).state_path == Path("/var/state.duckdb")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "s3://shop/lake"}, "a bucket needs state"),
        ({"url": "gs://shop/lake"}, "a bucket needs state"),
        ({"url": "/"}, "name a folder"),
        ({"url": "/srv/[lake]"}, "name the folder without them"),
        ({"url": "lake"}, "an absolute path like"),
        ({"url": "/srv/lake", "region": "eu-central-1"}, 'a url that begins with "s3://"'),
        ({"url": "/srv/lake", "state": "/srv/lake/state.duckdb"}, "state is inside of the folder"),
    ],
)
def test_what_cannot_be_is_told_with_what_to_do(settings: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        ParquetSettings.model_validate(settings)
