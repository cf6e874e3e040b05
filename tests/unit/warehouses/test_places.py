"""Whether a place could be written is asked without writing anything."""

import os
from pathlib import Path

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.places import require_writable


def deny(monkeypatch: pytest.MonkeyPatch, denied: Path) -> None:
    """Whoever runs the tests may be allowed everything; what the system answers about one path is not."""
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != denied)


def test_the_nearest_directory_that_is_there_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    deny(monkeypatch, tmp_path / "closed")
    (tmp_path / "closed").mkdir()

    require_writable(tmp_path / "open/deep/file")
    with pytest.raises(WarehouseError, match=r"file cannot be made below .*/closed \(let the daemon's user write"):
        require_writable(tmp_path / "closed/deep/file")


def test_a_file_that_is_there_decides_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("held")
    require_writable(tmp_path / "file")
    deny(monkeypatch, tmp_path / "file")

    with pytest.raises(WarehouseError, match="file cannot be written"):
        require_writable(tmp_path / "file")
