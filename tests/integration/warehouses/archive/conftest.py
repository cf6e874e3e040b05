from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.warehouses.support.objects import Objects, bucket, folder, google_bucket, s3_server


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3."""
    with s3_server() as address:
        yield address


@pytest.fixture(params=["folder", "s3", "google"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    """An empty place of each kind."""
    if request.param == "folder":
        return folder(tmp_path / "archive")
    address = request.getfixturevalue("s3")
    return bucket(address) if request.param == "s3" else google_bucket(address, tmp_path)
