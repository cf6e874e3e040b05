"""BigQuery's SQL. Sources: the pages "Data types", "Data definition language", "Lexical structure" and "Functions" of
its GoogleSQL reference.
"""

from collections.abc import Iterator
from dataclasses import replace

from gateway.warehouses.bigquery.settings import BigQuerySettings
from gateway.warehouses.servers.dialect import BulkFormat, Dialect, NewTable, Pick
from gateway.warehouses.values import Capacity, ColumnType

_CLUSTERED_BY = {"tracks": ("event", "id")}
"""Other tables with events by `id`, the loader's own by what rows are found by."""


def create(table: NewTable) -> Iterator[str]:
    """Nothing is unique here. Events are in partitions by the day of their arrival, so questions can be bounded."""
    columns = [
        f"{DIALECT.name(name)} {kind}{' not null' if name in table.required else ''}"
        for name, kind in table.columns.items()
    ]
    keys = table.searched
    partition = ""
    if table.role == "events":
        partition = f" partition by date({DIALECT.name('received_at')})"
        keys = _CLUSTERED_BY.get(table.name, ("id",))
    elif table.role == "ids":
        keys = ("high",)
    cluster = f" cluster by {DIALECT.names(keys)}" if keys else ""
    yield f"create table if not exists {DIALECT.name(table.name)} ({', '.join(columns)}){partition}{cluster}"


def pick(asked: Pick) -> str:
    """A window function, which takes values of every type."""
    order = ", ".join(f"{key} desc" if asked.is_latest else key for key in asked.keys)
    window = f"partition by {asked.group} order by {order} rows between unbounded preceding and unbounded following"
    return f"first_value(case when {asked.where} then {asked.value} end ignore nulls) over ({window})"


DIALECT = Dialect(
    types={
        ColumnType.BOOLEAN: "BOOL",
        ColumnType.INTEGER: "INT64",
        ColumnType.NUMBER: "FLOAT64",
        ColumnType.MOMENT: "TIMESTAMP",
        ColumnType.TEXT: "STRING",
        ColumnType.JSON: "JSON",
    },
    bulk=BulkFormat.PARQUET,
    is_transactional=True,
    capacity=Capacity(can_widen=False),
    create=create,
    add_column="add column if not exists {column} {type}",
    widen_column="",
    create_view="create or replace view {view} as {query}",
    moment_of="timestamp_micros({us})",
    us_of="unix_micros({moment})",
    md5="to_hex(md5({text}))",
    trim="trim({text}, {characters})",
    contains="strpos({text}, {part}) > 0",
    text_of="cast({value} as STRING)",
    pick=pick,
    picks_by_window=True,
    text_of_json="to_json_string({value})",
    adds_columns_at_once=True,
    hashes_go_by_table=True,
    json_goes_as_text=True,
    escapes=True,
    mark="`",
)


def dialect_of(settings: BigQuerySettings) -> Dialect:
    """A view says in which dataset its tables are, whoever asks it."""
    return replace(DIALECT, place=f"`{settings.dataset}`.")
