"""Which columns a table has, and of which types: the same in every warehouse.

Source: Segment's "Warehouse Schemas" page and RudderStack's.
"""

from gateway.warehouses.columns import Columns
from gateway.warehouses.names import EXTRA, STANDARD_COLUMNS
from gateway.warehouses.schema import Table
from gateway.warehouses.values import ColumnType

MOMENTS = ("received_at", "sent_at", "original_timestamp", "timestamp")
"""Those of the standard columns that are times; the others are texts."""

_TEXT, _JSON = ColumnType.TEXT, ColumnType.JSON
OWN_COLUMNS_OF = {
    "tracks": {"event": _TEXT, "event_text": _TEXT, "properties": _JSON},
    "event": {"event": _TEXT, "event_text": _TEXT},
    "groups": {"group_id": _TEXT},
    "aliases": {"previous_id": _TEXT},
}
"""Columns of a kind of table, besides those of all tables and those of the body."""


def fixed_columns(kind: str) -> dict[str, ColumnType]:
    """What every table of a kind has, whatever events say."""
    standard = {name: ColumnType.MOMENT if name in MOMENTS else _TEXT for name in STANDARD_COLUMNS}
    return standard | OWN_COLUMNS_OF.get(kind, {}) | {EXTRA: _JSON}


def columns_of(table: Table, context: Columns) -> dict[str, ColumnType]:
    """Every column that is known for a table."""
    columns = fixed_columns(table.kind)
    for column in (*context.by_name.values(), *table.columns.by_name.values()):
        if column.type is not None:
            columns[column.name] = column.type
    return columns
