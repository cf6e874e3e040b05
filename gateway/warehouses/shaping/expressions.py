"""Values out of JSON, in DuckDB's SQL."""

import json
from collections.abc import Iterable
from typing import Any

from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.names import literal, quoted
from gateway.warehouses.values import MAX_EXACT_INTEGER, WHOLE_ERA, ColumnType, Era, Path

SQL_TYPES = {
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.MOMENT: "TIMESTAMP WITH TIME ZONE",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.JSON: "JSON",
}

_FRACTIONS = ("", ".___", ".______")
_ZONES = ("Z", "+0_:00", "-0_:00")
_READ_AS = {ColumnType.MOMENT: "VARCHAR", ColumnType.INTEGER: "HUGEINT"}
"""Wider than their columns, so that what does not fit shows."""


def read(json_value: str, columns: Columns) -> str:
    """A struct with the values of all columns, from one pass over the JSON."""
    return read_some(json_value, columns.readable())


def read_some(json_value: str, columns: Iterable[tuple[Column, Path]]) -> str:
    """The same of some columns."""
    return f"json_transform({json_value}, {literal(json.dumps(_spec(columns)))})"


def value(struct: str, column: Column, path: Path) -> str:
    """A column's value out of such a struct."""
    found = _field(struct, path)
    match column.type:
        case ColumnType.MOMENT:
            return moment(found)
        case ColumnType.INTEGER:
            return f"try_cast({found} as bigint)"
        case _:
            return found


def is_misfit(struct: str, column: Column, path: Path, era: Era) -> str:
    """Whether a value of the right kind is beyond what its column can hold; empty where none can be."""
    found = _field(struct, path)
    match column.type:
        case ColumnType.MOMENT:
            return f"({found} is not null and {held(f'epoch_us({moment(found)})', era)} is null)"
        case ColumnType.INTEGER:
            return f"({found} is not null and try_cast({found} as bigint) is null)"
        case ColumnType.NUMBER:
            return f"abs({found}) >= {MAX_EXACT_INTEGER}"
        case _:
            return ""


def moment(text: str) -> str:
    """A time in one of the forms that the SDKs write; null for every other form, which Python reads."""
    forms = " or ".join(
        f"{text} like '____-__-__T__:__:__{fraction}{zone}'" for zone in _ZONES for fraction in reversed(_FRACTIONS)
    )
    within = f"{text} between '0002' and '9998-12-31' and substr({text}, 12, 2) < '24'"
    return f"case when ({forms}) and {within} then try_cast({text} as timestamptz) end"


def held(us: str, era: Era) -> str:
    """Microseconds since the epoch; null outside of what the warehouse holds."""
    if era == WHOLE_ERA:
        return us
    earliest, latest = (round(each.timestamp() * 1_000_000) for each in era)
    return f"case when {us} >= {earliest} and {us} < {latest} then {us} end"


def _spec(columns: Iterable[tuple[Column, Path]]) -> dict[str, Any]:
    """What json_transform looks for."""
    spec: dict[str, Any] = {}
    for column, path in columns:
        assert column.type is not None
        inner = spec
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = _READ_AS.get(column.type, SQL_TYPES[column.type])
    return spec or {"_": "VARCHAR"}


def _field(struct: str, path: Path) -> str:
    return ".".join([struct, *map(quoted, path)])
