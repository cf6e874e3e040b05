"""The settings of every warehouse that is a server."""

from pathlib import Path

from gateway.warehouses.settings import TableSettings


class ServerSettings(TableSettings):
    """Each kind adds how its server is reached."""

    scratch: Path | None = None
    """A folder for what a load puts on disk, up to 2 KB an event; the system's folder for temporary files if unset."""
