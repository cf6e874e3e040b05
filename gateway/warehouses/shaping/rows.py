"""The SQL of a table's rows, out of `staged` and `event_names`, the tables of the tracks by name."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.warehouses.columns import Columns
from gateway.warehouses.names import EXTRA, STANDARD_COLUMNS, literal, quoted
from gateway.warehouses.schema import Table
from gateway.warehouses.shaping.expressions import read, value

Texts = Mapping[str, Sequence[str]]
"""For each table of an event the names of its tracks among those that are staged."""


class Rows(NamedTuple):
    """The columns that are filled, and a query that gives them by their names, in this order."""

    columns: tuple[str, ...]
    query: str


def table_rows(
    table: Table, context: Columns, texts: Texts, more: dict[str, str] | None = None, where: str = "true"
) -> Rows:
    """The staged rows of one table. `more` are further columns and what is in them; `where` is about `s`, the event.

    The last column to be read is the body, once for all its keys.
    """
    values = {name: f"s.{quoted(name)}" for name in STANDARD_COLUMNS}
    values |= {column.name: f"s.{quoted(column.name)}" for column, _path in context.readable()}
    values |= {EXTRA: "s.extra::json"} | _own_values(table) | (more or {})
    source = f"temp.staged s {rows_of(table, texts)} and {where}"
    if table.kind != "tracks":
        values |= {column.name: value("b", column, path) for column, path in table.columns.readable()}
        source = f"(select s.*, {read('s.body', table.columns)} as b from {source}) s"
    listed = ", ".join(f"{sql} as {quoted(name)}" for name, sql in values.items())
    return Rows(tuple(values), f"select {listed} from {source}")


def rows_of(table: Table, texts: Texts) -> str:
    """Which of the staged events have a row in the table.

    Names stand there as they are: DuckDB then reads no other column of the events that have others.
    """
    match table.kind:
        case "tracks":
            return "left join event_names n using (event_text) where s.type = 'track'"
        case "event":
            names = ", ".join(map(literal, texts.get(table.name, ()))) or "null"
            return f"where s.type = 'track' and s.event_text in ({names})"
        case _:
            return f"where s.type = {literal(_TYPE_OF_TABLE[table.kind])}"


def _own_values(table: Table) -> dict[str, str]:
    return {
        "tracks": {
            "event": "n.event",
            "event_text": "s.event_text",
            "properties": "coalesce(s.all_properties::json, s.body)",
        },
        "event": {"event": literal(table.name), "event_text": "s.event_text"},
        "groups": {"group_id": "s.group_id"},
        "aliases": {"previous_id": "s.previous_id"},
    }.get(table.kind, {})


_TYPE_OF_TABLE = {"pages": "page", "screens": "screen", "identifies": "identify", "groups": "group", "aliases": "alias"}
