"""Where the rows go: shared naming, typing and loading rules, and one folder for each warehouse.

A warehouse stores its own cursor in the transaction that stores the rows, so a load happens exactly once. Imports
model, config and observe.
"""

from gateway.warehouses.contract import Loaded, Table, Warehouse, WarehouseKind

__all__ = ["Loaded", "Table", "Warehouse", "WarehouseKind"]
