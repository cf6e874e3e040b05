"""PostgreSQL's SQL. Sources: its manual's chapters "Data Types", "SQL Commands" and "Aggregate Functions"."""

from collections.abc import Iterator

from gateway.warehouses.names import quoted
from gateway.warehouses.servers.dialect import Dialect, NewTable, Pick
from gateway.warehouses.values import ANYTHING, ColumnType


def create(table: NewTable) -> Iterator[str]:
    """Ids are unique. Events lie in the order of their arrival, which is what BRIN is for: it costs next to nothing."""
    columns = [
        f"{quoted(name)} {kind}{' not null' if name in table.required else ''}" for name, kind in table.columns.items()
    ]
    if table.role in ("ids", "cursors"):
        keys = ["log_id"] if table.role == "cursors" else list(table.columns)
        columns.append(f"primary key ({', '.join(map(quoted, keys))})")
    yield f"create table if not exists {quoted(table.name)} ({', '.join(columns)})"
    if table.role == "events":
        yield f"create index on {quoted(table.name)} using brin ({quoted('received_at')})"
    for name in table.searched:
        yield f"create index on {quoted(table.name)} ({quoted(name)})"


def pick(asked: Pick) -> str:
    """An aggregate with an order of its own."""
    order = ", ".join(f"{key} desc" if asked.is_latest else key for key in asked.keys)
    where = f"({asked.where}) and {asked.value} is not null"
    return f"(array_agg({asked.value} order by {order}) filter (where {where}))[1]"


DIALECT = Dialect(
    types={
        ColumnType.BOOLEAN: "boolean",
        ColumnType.INTEGER: "bigint",
        ColumnType.NUMBER: "double precision",
        ColumnType.MOMENT: "timestamp with time zone",
        ColumnType.TEXT: "text",
        ColumnType.JSON: "jsonb",
    },
    bulk=None,
    is_transactional=True,
    capacity=ANYTHING,
    create=create,
    add_column="add column if not exists {column} {type}",
    widen_column="alter table {table} alter column {column} set data type {type}",
    create_view="create or replace view {view} as {query}",
    moment_of="(timestamptz 'epoch' + {us} * interval '1 microsecond')",
    us_of="(extract(epoch from {moment}) * 1000000)::bigint",
    md5="md5({text})",
    trim="btrim({text}, {characters})",
    contains="position({part} in {text}) > 0",
    text_of="({value})::text",
    pick=pick,
    adds_columns_at_once=True,
)
