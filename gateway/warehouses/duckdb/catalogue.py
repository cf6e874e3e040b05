"""The schema as it stands in the file, and its own tables: which ids are stored, and how far each log is."""

import duckdb

from gateway.warehouses.columns import Column
from gateway.warehouses.duckdb.engine import DATABASE
from gateway.warehouses.duckdb.identity import FileIdentity
from gateway.warehouses.duckdb.statements import LOAD, MAIN, add_or_widen, create_table, create_users
from gateway.warehouses.layout import fixed_columns
from gateway.warehouses.names import TABLES_OF_TYPE
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.shaping.expressions import SQL_TYPES
from gateway.warehouses.values import ColumnType

IDS = "_headwater_ids"
"""Two halves of a hash of source and id, for every event that was ever stored."""
CURSORS = "_headwater_cursors"
"""How far each log is loaded, and how many events that were."""
FILLED = "_headwater_filled"
"""Up to which load events' own tables are filled: all of them (an empty name), and by name those that are further."""

_SEEN_BY_VIEWS = {"", "tracks", "pages", "screens", "identifies", "groups", "aliases"}
"""Tables whose growth the views of identity show; the empty name is the context's."""
_TYPES = {sql_type: column_type for column_type, sql_type in SQL_TYPES.items()}
_OWN_COLUMNS = {name: set(fixed_columns(name)) for name in TABLES_OF_TYPE.values()}
_OWN_COLUMNS["tracks"].add(LOAD)
_EVENT_COLUMNS = fixed_columns("event").keys()


def create_own_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make what a new file lacks, or one of an earlier version."""
    connection.execute(f"create table if not exists {IDS} (high ubigint not null, low ubigint not null)")
    connection.execute(f"create table if not exists {CURSORS} (log_id varchar not null, next_offset bigint not null)")
    connection.execute(f"alter table {CURSORS} add column if not exists events bigint")


def create_filled(connection: duckdb.DuckDBPyConnection) -> None:
    """The same, of a file that has the events' rows too."""
    connection.execute(f"create table if not exists {FILLED} (event varchar not null, last_load bigint not null)")
    connection.execute("alter table if exists tracks add column if not exists _load bigint")


def next_offset(connection: duckdb.DuckDBPyConnection, log_id: str) -> int | None:
    """How far the log is loaded; None when it never was."""
    row = connection.execute(f"select next_offset from {CURSORS} where log_id = ?", [log_id]).fetchone()
    return None if row is None else int(row[0])


def advance(connection: duckdb.DuckDBPyConnection, log_id: str, offset: int, events: int) -> None:
    """Part of the transaction that stores the rows. `events` is how many were handed over since."""
    advanced = f"update {CURSORS} set next_offset = ?, events = events + ? where log_id = ?"
    ((changed,),) = connection.execute(advanced, [offset, events, log_id]).fetchall()
    if not changed:
        connection.execute(f"insert into {CURSORS} values (?, ?, ?)", [log_id, offset, events])


def read_schema(connection: duckdb.DuckDBPyConnection, limits: Limits, within: str = MAIN) -> Schema:
    """Every table that is ours: the six of the spec, and those with the columns of an event's own table.

    `within` is the schema of the database that they are in.
    """
    schema = Schema(limits)
    for name, columns in _columns_by_table(connection, within).items():
        own = _OWN_COLUMNS.get(name, _EVENT_COLUMNS)
        if not own <= columns.keys():
            schema.reserve(name)
            continue
        added = {column: column_type for column, column_type in columns.items() if column not in own}
        for column, column_type in added.items():
            if column.startswith("context_"):
                schema.restore_context(Column(column, column_type, is_stored=True))
        schema.restore(
            name,
            {
                column: Column(column, column_type, is_stored=True)
                for column, column_type in added.items()
                if not column.startswith("context_")
            },
        )
    return schema


def write_growth(connection: duckdb.DuckDBPyConnection, schema: Schema, identity: FileIdentity | None = None) -> None:
    """New tables, new columns and wider types, in the transaction of the rows that need them.

    `identity` makes its views anew; nobody needs to where only events' own tables grow.
    """
    grow_tables(connection, schema)
    show_growth(connection, schema, identity)


def grow_tables(connection: duckdb.DuckDBPyConnection, schema: Schema, within: str = MAIN) -> None:
    """The growth, without the views that show it."""
    growth = schema.growth
    for table in growth.tables.values():
        connection.execute(create_table(table, schema.context, within))
    stored = [table.name for table in schema.tables.values() if table.is_stored]
    for (name, _), column in growth.columns.items():
        for table_name in [name] if name else stored:
            if schema.tables[table_name].is_stored:
                connection.execute(add_or_widen(table_name, column, within))


def show_growth(connection: duckdb.DuckDBPyConnection, schema: Schema, identity: FileIdentity | None) -> None:
    """The views of what has grown; those of identity by `identity`."""
    grown = schema.growth.tables.keys() | {name for name, _ in schema.growth.columns}
    if "identifies" in grown:
        connection.execute(create_users(schema.tables["identifies"].columns))
    if identity is not None and grown & _SEEN_BY_VIEWS:
        identity.show(connection, schema)


def _columns_by_table(connection: duckdb.DuckDBPyConnection, within: str) -> dict[str, dict[str, ColumnType | None]]:
    """Tables and views, each with its columns; None for a type that no column of ours has."""
    columns: dict[str, dict[str, ColumnType | None]] = {}
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns()"
        " where database_name = ? and schema_name = ? and not internal order by table_name, column_index",
        [DATABASE, within],
    ).fetchall()
    for table, column, sql_type in rows:
        columns.setdefault(table, {})[column] = _TYPES.get(sql_type)
    return columns
