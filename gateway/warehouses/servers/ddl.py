"""The statements that make a server's schema what the events need. Nothing here talks to a server."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.warehouses.columns import Column
from gateway.warehouses.identity.tables import GRAPH_TABLES, NULLABLE, SEARCHED
from gateway.warehouses.layout import columns_of, fixed_columns
from gateway.warehouses.schema import Schema
from gateway.warehouses.servers.dialect import Dialect, NewTable, Role
from gateway.warehouses.servers.session import Stored
from gateway.warehouses.values import ColumnType

IDS = "_headwater_ids"
"""Two halves of a hash of source and id, for every event that was ever stored."""
CURSORS = "_headwater_cursors"
"""How far each log is loaded, and how many events that were."""
OWN_TABLES: Mapping[str, tuple[Role, Mapping[str, ColumnType]]] = {
    IDS: ("ids", {"high": ColumnType.INTEGER, "low": ColumnType.INTEGER}),
    CURSORS: (
        "cursors",
        {"log_id": ColumnType.TEXT, "next_offset": ColumnType.INTEGER, "events": ColumnType.INTEGER},
    ),
    **{name: ("graph", columns) for name, columns in GRAPH_TABLES.items()},
}
INTENTS = "_headwater_intents"
"""How far the load goes of each log that was begun last."""
INTENTS_COLUMNS = {"log_id": ColumnType.TEXT, "next_offset": ColumnType.INTEGER}
GONE = "_headwater_gone"
"""Hashes of rows that are removed; empty but within a transaction."""
JOURNAL = "_headwater_journal"
"""What is about to change in the graph."""
JOURNAL_COLUMNS = {
    "version": ColumnType.INTEGER,
    "changed": ColumnType.TEXT,
    "gone": ColumnType.INTEGER,
    "entry": ColumnType.TEXT,
}
"""`changed` is the table, `gone` 1 for a row that is removed, `entry` the row as a list in JSON."""
MARKS = {"_version": ColumnType.INTEGER, "_gone": ColumnType.INTEGER}
"""Of a row of the graph: whether it is gone, as of the latest version."""


class Widening(NamedTuple):
    """A column of integers that is to hold numbers."""

    table: str
    column: str


def own_tables(dialect: Dialect, stored: Stored) -> Iterator[str]:
    """Statements for what the loader needs and the server lacks."""
    for name, (role, columns) in tables_of(dialect).items():
        types = {column: dialect.types[kind] for column, kind in columns.items()}
        if name in stored:
            yield from _missing_columns(dialect, name, types, stored[name])
        else:
            required = frozenset(column for column in columns if (name, column) not in NULLABLE)
            yield from dialect.create(NewTable(name, role, types, required, SEARCHED.get(name, ())))


def tables_of(dialect: Dialect) -> Mapping[str, tuple[Role, Mapping[str, ColumnType]]]:
    """The loader's own tables. Where there are no transactions, rows are not changed: others take their place."""
    if dialect.hashes_go_by_table:
        return {**OWN_TABLES, GONE: ("journal", {"hash": ColumnType.INTEGER})}
    if dialect.is_transactional:
        return OWN_TABLES
    marked: dict[str, tuple[Role, Mapping[str, ColumnType]]] = {
        name: (role, {**columns, **MARKS} if role == "graph" else columns)
        for name, (role, columns) in OWN_TABLES.items()
    }
    return {**marked, INTENTS: ("cursors", INTENTS_COLUMNS), JOURNAL: ("journal", JOURNAL_COLUMNS)}


def missing(schema: Schema, dialect: Dialect, stored: Stored) -> Iterator[str]:
    """Statements for the tables and columns that the events need and the server lacks."""
    for table in schema.tables.values():
        columns = {name: dialect.types[kind] for name, kind in columns_of(table, schema.context).items()}
        if table.name in stored:
            yield from _missing_columns(dialect, table.name, columns, stored[table.name])
        else:
            yield from dialect.create(NewTable(table.name, "events", columns, frozenset(), ()))


def grown(schema: Schema, dialect: Dialect, stored: Stored) -> Stored:
    """What is stored once nothing is missing."""
    after = dict(stored)
    for table in schema.tables.values():
        columns = {name: dialect.types[kind] for name, kind in columns_of(table, schema.context).items()}
        present = stored.get(table.name, {})
        after[table.name] = {**present, **{name: kind for name, kind in columns.items() if name not in present}}
    return after


def widenings(schema: Schema, dialect: Dialect, stored: Stored) -> Iterator[Widening]:
    """Columns that hold integers there, and must hold numbers."""
    integer = dialect.types[ColumnType.INTEGER]
    for table in schema.tables.values():
        present = stored.get(table.name, {})
        for name, kind in columns_of(table, schema.context).items():
            if kind is ColumnType.NUMBER and present.get(name) == integer:
                yield Widening(table.name, name)


def widen(dialect: Dialect, widening: Widening) -> str:
    """The statement for it."""
    return dialect.widen_column.format(
        table=dialect.name(widening.table),
        column=dialect.name(widening.column),
        type=dialect.types[ColumnType.NUMBER],
    )


def adopt(schema: Schema, dialect: Dialect, stored: Stored) -> bool:
    """What the server has counts: tables, columns and their types. Whether the schema in memory was told anything that
    changes where values go."""
    types = {sql_type: kind for kind, sql_type in dialect.types.items()}
    before = _types_of(schema)
    for name, columns in stored.items():
        known = schema.tables.get(name)
        fixed = fixed_columns(known.kind if known else "event").keys()
        if not fixed <= columns.keys():
            if name not in OWN_TABLES:
                schema.reserve(name)
            continue
        added = {
            column: Column(column, types.get(kind), is_stored=True)
            for column, kind in columns.items()
            if column not in fixed
        }
        for column in added.values():
            if column.name.startswith("context_"):
                schema.restore_context(column)
        schema.restore(name, {name: each for name, each in added.items() if not name.startswith("context_")})
    after = _types_of(schema)
    return any(after[place] != kind for place, kind in before.items())


def _missing_columns(
    dialect: Dialect, table: str, columns: Mapping[str, str], present: Mapping[str, str]
) -> Iterator[str]:
    added = [
        dialect.add_column.format(column=dialect.name(name), type=sql_type)
        for name, sql_type in columns.items()
        if name not in present
    ]
    if added and dialect.adds_columns_at_once:
        added = [", ".join(added)]
    yield from (f"alter table {dialect.name(table)} {each}" for each in added)


def _types_of(schema: Schema) -> dict[tuple[str, str], ColumnType | None]:
    tables: list[tuple[str, Mapping[str, Column]]] = [("", schema.context.by_name)]
    tables += [(table.name, table.columns.by_name) for table in schema.tables.values()]
    return {(table, column.name): column.type for table, columns in tables for column in columns.values()}
