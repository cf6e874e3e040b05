"""Snowflake's SQL. Sources: its reference's pages "Data types", "CREATE TABLE", "String & binary functions" and "Window
functions"."""

from collections.abc import Iterator

from gateway.warehouses.servers.dialect import BulkFormat, Dialect, NewTable, Pick
from gateway.warehouses.values import Capacity, ColumnType


def create(table: NewTable) -> Iterator[str]:
    """Nothing is unique here, and nothing has an index: ids are kept apart by the lock of a load."""
    columns = [
        f"{DIALECT.name(name)} {kind}{' not null' if name in table.required else ''}"
        for name, kind in table.columns.items()
    ]
    yield f"create table if not exists {DIALECT.name(table.name)} ({', '.join(columns)})"


def pick(asked: Pick) -> str:
    """A window function: an array of all values, out of which one could be taken, may be too large."""
    order = ", ".join(f"{key} desc" if asked.is_latest else key for key in asked.keys)
    window = f"partition by {asked.group} order by {order} rows between unbounded preceding and unbounded following"
    return f"first_value(case when {asked.where} then {asked.value} end) ignore nulls over ({window})"


DIALECT = Dialect(
    types={
        ColumnType.BOOLEAN: "BOOLEAN",
        ColumnType.INTEGER: "NUMBER(38,0)",
        ColumnType.NUMBER: "FLOAT",
        ColumnType.MOMENT: "TIMESTAMP_TZ",
        ColumnType.TEXT: "VARCHAR",
        ColumnType.JSON: "VARIANT",
    },
    bulk=BulkFormat.PARQUET,
    is_transactional=True,
    capacity=Capacity(can_widen=False),
    create=create,
    add_column="add column if not exists {column} {type}",
    widen_column="",
    create_view="create or replace view {view} as {query}",
    moment_of="to_timestamp_tz({us}, 6)::TIMESTAMP_TZ",
    us_of="date_part(epoch_microsecond, {moment})",
    md5="md5({text})",
    trim="trim({text}, {characters})",
    contains="contains({text}, {part})",
    text_of="({value})::VARCHAR",
    pick=pick,
    picks_by_window=True,
    escapes=True,
    is_upper_case=True,
)
