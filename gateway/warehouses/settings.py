"""What every warehouse with tables can be told."""

from pydantic import Field

from gateway.config import BatchSettings, WarehouseSettings
from gateway.config.identity import IdentitySettings
from gateway.config.units import Duration, Size


class LoadSettings(BatchSettings):
    """One load."""

    max_events: int = Field(default=20_000, ge=1)
    """Events of one load; larger ones cost less for each event."""
    max_bytes: Size = 16 * 2**20
    """Bytes of one load."""
    max_wait: Duration = 1
    """How old a row may get before it is there."""


class TableSettings(WarehouseSettings):
    """A warehouse that DuckDB shapes the rows for, in this process."""

    batch: LoadSettings = LoadSettings()
    memory_limit: Size = 48 * 2**20
    """What DuckDB may use for loads and queries; beyond it, it goes to disk."""
    threads: int = Field(default=1, ge=1, le=64)
    """Threads of DuckDB."""
    max_event_tables: int = Field(default=500, ge=0)
    """Events get a table of their own until there are so many; all events are in `tracks`."""
    max_columns: int = Field(default=200, ge=1, le=1000)
    """Columns that events may add to one table; further values go to `_extra`."""
    max_context_columns: int = Field(default=150, ge=2, le=1000)
    """The same for the `context_` columns, which are the same in every table."""
    identity: IdentitySettings = IdentitySettings()
