"""Two kinds of destination as the loader is given them, and a way to load a text as a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import pytest
from pydantic import HttpUrl, SecretStr

from gateway.config import DestinationSettings, Settings, load_settings
from gateway.model.errors import ConfigError


class HookSettings(DestinationSettings):
    type: Literal["hook"]
    url: HttpUrl
    secret: SecretStr = SecretStr("")


class TableSettings(DestinationSettings):
    type: Literal["table"]
    path: Path = Path("table.db")


Load = Callable[..., Settings]
FaultsOf = Callable[..., dict[str, str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a text; `environ` is all the environment there is."""

    def load_text(text: str, environ: Mapping[str, str] | None = None) -> Settings:
        path = tmp_path / "headwater.toml"
        path.write_text(text, encoding="utf-8")
        return load_settings(path, (HookSettings, TableSettings), environ or {})

    return load_text


@pytest.fixture
def faults_of(load: Load) -> FaultsOf:
    """What a refused text is told: the fault of each key."""

    def read_faults(text: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        with pytest.raises(ConfigError) as refusal:
            load(text, environ)
        _, *lines = str(refusal.value).splitlines()
        return dict(line.strip().split(": ", 1) for line in lines)

    return read_faults
