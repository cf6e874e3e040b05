"""The archive of raw events: the flow is batches -> lines -> objects -> the store, and back again in `past`."""

from gateway.warehouses.archive.archive import ARCHIVE, open_archive
from gateway.warehouses.archive.past import Limits, Past, Piece, Position, Stretch, open_past
from gateway.warehouses.archive.settings import ArchiveSettings

__all__ = ["ARCHIVE", "ArchiveSettings", "Limits", "Past", "Piece", "Position", "Stretch", "open_archive", "open_past"]
