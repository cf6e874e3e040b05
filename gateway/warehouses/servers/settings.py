"""The settings of every warehouse that is a server."""

from pathlib import Path

from gateway.warehouses.settings import TableSettings


class ServerSettings(TableSettings):
    """Each kind adds how its server is reached."""

    scratch: Path | None = None
    """A folder for the files of one load, 1 to 2 KB an event; the system's folder for temporary files when unset."""
