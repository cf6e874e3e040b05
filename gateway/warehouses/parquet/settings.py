"""The settings of a warehouse of Parquet files."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from gateway.config.units import Duration, Size
from gateway.warehouses.objects import ObjectSettings
from gateway.warehouses.settings import LoadSettings, TableSettings

_PATTERN = frozenset("*?[]{}")


class ParquetLoadSettings(LoadSettings):
    """One load, which becomes one file for each table and day in it."""

    max_events: int = Field(default=100_000, ge=1)
    """Events of one load, which becomes one file for each table and day in it."""
    max_bytes: Size = 64 * 2**20
    """Bytes of one load, before compression."""
    max_wait: Duration = 60
    """How old a row may get before it is there. A longer one makes fewer and larger files."""


class ParquetSettings(ObjectSettings, TableSettings):
    """Where the files are, and what the loader knows of them."""

    type: Literal["parquet"] = "parquet"
    state: Path | None = None
    """The loader's own DuckDB file; beside the folder unless it is said."""
    batch: ParquetLoadSettings = ParquetLoadSettings()
    memory_limit: Size = 256 * 2**20
    """What DuckDB may use for loads and queries; beyond it, it goes to disk beside the state."""
    snapshot_interval: Annotated[Duration, Field(gt=0)] = 300
    """How old the files of the identity graph may get while it changes."""

    @property
    def state_path(self) -> Path:
        """Where the state is."""
        return self.state or Path(f"{self.path}.duckdb")

    @model_validator(mode="after")
    def _state_has_a_place(self) -> Self:
        if self.scheme != "file" and self.state is None:
            raise ValueError(
                'a bucket needs state, a file of the loader on this machine, like "/var/lib/headwater/parquet.duckdb"'
            )
        if self.scheme == "file" and _PATTERN & set(self.path):
            raise ValueError(f"readers take {' '.join(sorted(_PATTERN))} for patterns; name the folder without them")
        if self.scheme == "file" and self.path == "/":
            raise ValueError("url is the root of the file system; name a folder")
        if self.scheme == "file" and self.state_path.absolute().is_relative_to(self.path):
            raise ValueError("state is inside of the folder that readers look into; put it beside the folder")
        return self
