"""The store that the settings name."""

from pathlib import Path

from gateway.model.errors import WarehouseError
from gateway.warehouses.objects.disk import Disk
from gateway.warehouses.objects.settings import ObjectSettings
from gateway.warehouses.objects.store import Store
from gateway.warehouses.places import require_writable


def open_store(settings: ObjectSettings) -> Store:
    """Blocking. Raises WarehouseError when the place cannot be used, or the driver is not installed."""
    if settings.scheme == "file":
        return Disk(Path(settings.path))
    try:
        from gateway.warehouses.objects.bucket import Bucket  # noqa: PLC0415 - its driver is an extra of the package
    except ModuleNotFoundError as error:
        raise WarehouseError(f"{error.name} is missing: pip install 'headwater[s3]'") from error
    return Bucket(settings)


def probe_place(settings: ObjectSettings) -> None:
    """Of a bucket something is read; of a folder it is asked whether it could be written. Raises WarehouseError."""
    if settings.scheme == "file":
        require_writable(Path(settings.path))
    else:
        open_store(settings).get("_headwater/check")
