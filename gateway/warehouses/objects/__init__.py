"""Where files are kept: a folder, or a bucket. The archive and the Parquet warehouse put theirs there."""

from gateway.warehouses.objects.disk import Disk
from gateway.warehouses.objects.opening import open_store, probe_place
from gateway.warehouses.objects.settings import ObjectSettings
from gateway.warehouses.objects.store import Store

__all__ = ["Disk", "ObjectSettings", "Store", "open_store", "probe_place"]
