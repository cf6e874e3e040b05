"""The store that an archive's settings lead to."""

from pathlib import Path

from gateway.model.errors import WarehouseError
from gateway.warehouses.archive.disk import Disk
from gateway.warehouses.archive.settings import ArchiveSettings
from gateway.warehouses.archive.store import Store


def open_store(settings: ArchiveSettings) -> Store:
    """Raises WarehouseError when the place cannot be used. May block."""
    if settings.scheme == "file":
        return Disk(Path(settings.path))
    try:
        from gateway.warehouses.archive.bucket import Bucket  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise WarehouseError(f"{error.name} is missing: pip install 'headwater[s3]'") from error
    return Bucket(settings)
