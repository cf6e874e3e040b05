"""Answers of ClickHouse as rows."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from gateway.warehouses.servers.session import Row


class Answer(NamedTuple):
    """Names of columns, and rows."""

    columns: list[str]
    rows: list[Row]


def rows_of(answer: bytes) -> Answer:
    """An answer in the format JSONCompactEachRowWithNamesAndTypes: a line of names, one of types, one for each row."""
    names, types, *lines = answer.decode(errors="replace").splitlines() or ["[]", "[]"]
    moments = [index for index, kind in enumerate(json.loads(types)) if "DateTime64(6, 'UTC')" in kind]
    rows: list[Row] = []
    for line in lines:
        row = json.loads(line)
        for index in moments:
            row[index] = _moment(row[index])
        rows.append(tuple(row))
    return Answer(json.loads(names), rows)


def _moment(told: Any) -> Any:
    """A moment of one of our columns; anything else, such as an array of them, stays as it is."""
    if not isinstance(told, str):
        return told
    return datetime.fromisoformat(told).replace(tzinfo=UTC)
