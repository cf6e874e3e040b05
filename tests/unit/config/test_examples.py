"""Every configuration that is shipped can be loaded."""

from pathlib import Path

import pytest

from gateway.config import load_settings
from gateway.destinations import DESTINATIONS
from gateway.warehouses.registry import WAREHOUSES

CONFIGS = Path(__file__).parents[3] / "configs"
KINDS = [kind.settings for kind in (*DESTINATIONS, *WAREHOUSES)]


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.name)
def test_the_file_is_valid(path: Path, tmp_path: Path) -> None:
    (tmp_path / "headwater-webhook").write_text("whsec_c2VjcmV0IGtleSBvZiB0aGUgc2hvcA==")

    settings = load_settings(path, KINDS, {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert settings.sources
    assert any(destination.type == "duckdb" for destination in settings.destinations.values())


def test_only_the_quickstart_shows_the_demo(tmp_path: Path) -> None:
    (tmp_path / "headwater-webhook").write_text("secret")
    shown = {
        path.name
        for path in CONFIGS.glob("*.toml")
        if load_settings(path, KINDS, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).demo.enabled
    }

    assert shown == {"quickstart.toml"}
