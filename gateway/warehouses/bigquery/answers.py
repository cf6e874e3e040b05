"""Rows as BigQuery's REST API writes them. Source: the page "Method: jobs.getQueryResults" of its reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.warehouses.servers.session import Row

Field = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows_of(fields: Sequence[Field], rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Python's values. What it has no type for stays the text that it is."""
    return [tuple(map(_value, fields, row["f"])) for row in rows]


def _value(field: Field, cell: Mapping[str, Any]) -> Any:
    value = cell["v"]
    if value is None:
        return None
    if field.get("mode") == "REPEATED":
        single = {**field, "mode": "NULLABLE"}
        return [_value(single, each) for each in value]
    if field["type"] in ("RECORD", "STRUCT"):
        inner = field["fields"]
        return {each["name"]: _value(each, part) for each, part in zip(inner, value["f"], strict=True)}
    read = _READERS.get(field["type"])
    return read(value) if read else value


def _moment(text: str) -> datetime:
    """Microseconds since the epoch, as we ask for them."""
    return _EPOCH + timedelta(microseconds=int(text))


_READERS: Mapping[str, Callable[[str], Any]] = {
    "INTEGER": int,
    "INT64": int,
    "FLOAT": float,
    "FLOAT64": float,
    "BOOLEAN": lambda text: text == "true",
    "BOOL": lambda text: text == "true",
    "TIMESTAMP": _moment,
}
