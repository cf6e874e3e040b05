"""The archive of raw events: the flow is batches -> lines -> objects -> the store."""

from gateway.warehouses.archive.archive import ARCHIVE, open_archive
from gateway.warehouses.archive.settings import ArchiveSettings

__all__ = ["ARCHIVE", "ArchiveSettings", "open_archive"]
