"""Answers of ClickHouse as rows."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gateway.warehouses.clickhouse.dialect import DIALECT, nullable
from gateway.warehouses.servers.session import Row
from gateway.warehouses.values import ColumnType


class Answer(NamedTuple):
    """Names of columns, and rows."""

    columns: list[str]
    rows: list[Row]


def rows_of(answer: bytes) -> Answer:
    """An answer in the format JSONCompactEachRowWithNamesAndTypes: a line of names, one of types, one for each row."""
    if not answer:
        return Answer([], [])
    names, types, *lines = answer.decode(errors="replace").removesuffix("\n").split("\n")
    readers = [
        (index, _READERS[kind]) for index, kind in enumerate(map(nullable, json.loads(types))) if kind in _READERS
    ]
    rows: list[Row] = []
    for line in lines:
        row = json.loads(line)
        for index, read in readers:
            if row[index] is not None:
                row[index] = read(row[index])
        rows.append(tuple(row))
    return Answer(json.loads(names), rows)


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told).replace(tzinfo=UTC)


_READERS: Mapping[str, Callable[[Any], Any]] = {
    DIALECT.types[ColumnType.MOMENT]: _moment,
    DIALECT.types[ColumnType.NUMBER]: float,
}
"""Of columns whose values JSON does not show as what they are."""
