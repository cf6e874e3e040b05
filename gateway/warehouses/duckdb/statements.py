"""The SQL of the file's tables, made from the schema. Nothing here talks to a database."""

from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.duckdb.engine import DATABASE
from gateway.warehouses.layout import columns_of
from gateway.warehouses.names import EXTRA, STANDARD_COLUMNS, literal, quoted
from gateway.warehouses.schema import Table
from gateway.warehouses.shaping.expressions import SQL_TYPES, read, value
from gateway.warehouses.shaping.rows import Texts, table_rows

LOAD = "_load"
"""The column of `tracks` that says which load brought the row; null where its event's own table has it already."""


MAIN = "main"
"""The schema of the file that everybody looks into."""


def in_file(table: str, within: str = MAIN) -> str:
    """A table's whole name: in memory there are others, and an event may be called like one of them."""
    return f"{DATABASE}.{within}.{quoted(table)}"


def create_table(table: Table, context: Columns, within: str = MAIN) -> str:
    """A new table, with every column that is known for it."""
    columns = {name: SQL_TYPES[kind] for name, kind in columns_of(table, context).items()}
    if table.kind == "tracks":
        columns[LOAD] = "BIGINT"
    listed = ", ".join(f"{quoted(name)} {sql_type}" for name, sql_type in columns.items())
    return f"create table {in_file(table.name, within)} ({listed})"


def add_or_widen(table: str, column: Column, within: str = MAIN) -> str:
    """A column that an existing table lacks, or whose type has become wider."""
    assert column.type is not None
    sql_type, target = SQL_TYPES[column.type], in_file(table, within)
    if column.is_stored:
        return f"alter table {target} alter column {quoted(column.name)} set data type {sql_type}"
    return f"alter table {target} add column {quoted(column.name)} {sql_type}"


def create_users(identifies: Columns) -> str:
    """Who the users are now: of each trait the latest value by the time of the event, whatever came in which order."""
    latest = "(timestamp, received_at, id)"
    traits = [quoted(column.name) for column in identifies.by_name.values() if column.name != "id"]
    columns = [
        "user_id as id",
        "max(received_at) as received_at",
        "max(timestamp) as timestamp",
        *(f"arg_max({trait}, {latest}) as {trait}" for trait in traits),
    ]
    listed = ", ".join(columns)
    return f"create or replace view users as select {listed} from identifies where user_id is not null group by user_id"


def fill_table(table: Table, context: Columns, texts: Texts, load: int) -> str:
    """The rows of one table; of an event's own table only the repaired ones, for the others come from `tracks`."""
    number = {LOAD: f"case when s.all_properties is null then {load} end"} if table.kind == "tracks" else None
    where = "s.all_properties is not null" if table.kind == "event" else "true"
    rows = table_rows(table, context, texts, number, where)
    return f"insert into {in_file(table.name)} ({', '.join(map(quoted, rows.columns))}) {rows.query}"


def remove_gathered(table: str) -> str:
    """The rows of the events in `temp.gathered`."""
    return f"delete from {in_file(table)} where (id, source) in (select (id, source) from temp.gathered)"


def fill_from_tracks(table: Table, context: Columns) -> str:
    """The rows of an event's own table, of the loads from the first parameter to the second."""
    contexts = (column.name for column in context.by_name.values() if column.type is not None)
    shared = (*STANDARD_COLUMNS, *contexts, EXTRA, "event", "event_text")
    values = {name: f"t.{quoted(name)}" for name in shared}
    values |= {column.name: value("b", column, path) for column, path in table.columns.readable()}
    rows = f"from tracks where {LOAD} between ? and ? and event = {literal(table.name)}"
    names, expressions = ", ".join(map(quoted, values)), ", ".join(values.values())
    source = f"(select *, {read('properties', table.columns)} as b {rows}) t"
    return f"insert into {in_file(table.name)} ({names}) select {expressions} from {source}"
