"""Every kind of warehouse, one line each."""

from typing import Any

from gateway.warehouses.contract import WarehouseKind

WAREHOUSES: tuple[WarehouseKind[Any], ...] = ()
