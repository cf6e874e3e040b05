"""Redshift's SQL. Sources: its developer guide's pages "Data types", "SQL commands" and "SQL functions"."""

from collections.abc import Iterator

from gateway.warehouses.names import quoted
from gateway.warehouses.servers.dialect import BulkFormat, Dialect, NewTable, Pick
from gateway.warehouses.values import Capacity, ColumnType

LONGEST_TEXT_BYTES = 65_535
"""Of a column, and of a text within a SUPER."""


def create(table: NewTable) -> Iterator[str]:
    """Nothing is unique here, and nothing has an index. How rows are distributed and sorted Redshift finds out."""
    columns = ", ".join(
        f"{quoted(name)} {kind}{' not null' if name in table.required else ''}" for name, kind in table.columns.items()
    )
    yield f"create table if not exists {quoted(table.name)} ({columns})"


def pick(asked: Pick) -> str:
    """A window function: there is no aggregate with an order but for texts that are short together."""
    where = f"({asked.where}) and {asked.value} is not null"
    order = ", ".join(f"{key} desc" if asked.is_latest else key for key in asked.keys)
    window = f"partition by {asked.group} order by case when {where} then 0 else 1 end, {order}"
    rows = "rows between unbounded preceding and unbounded following"
    return f"first_value(case when {where} then {asked.value} end) over ({window} {rows})"


DIALECT = Dialect(
    types={
        ColumnType.BOOLEAN: "boolean",
        ColumnType.INTEGER: "bigint",
        ColumnType.NUMBER: "double precision",
        ColumnType.MOMENT: "timestamp with time zone",
        ColumnType.TEXT: f"character varying({LONGEST_TEXT_BYTES})",
        ColumnType.JSON: "super",
    },
    bulk=BulkFormat.JSON,
    is_transactional=True,
    capacity=Capacity(longest_text=LONGEST_TEXT_BYTES, can_widen=False),
    create=create,
    add_column="add column {column} {type}",
    widen_column="",
    create_view="create view {view} as {query}",
    moment_of="(timestamptz 'epoch' + {us} * interval '1 microsecond')",
    us_of="datediff('microsecond', timestamptz 'epoch', {moment})",
    md5="md5({text})",
    trim="btrim({text}, {characters})",
    contains="position({part} in {text}) > 0",
    text_of=f"({{value}})::character varying({LONGEST_TEXT_BYTES})",
    pick=pick,
    picks_by_window=True,
    drops_views=True,
    escapes=True,
)
