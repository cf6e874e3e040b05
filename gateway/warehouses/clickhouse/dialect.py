"""ClickHouse's SQL. Sources: its documentation's chapters "Table engines", "Data types" and "Functions"."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from gateway.warehouses.names import quoted
from gateway.warehouses.servers.dialect import BulkFormat, Dialect, NewTable, Pick
from gateway.warehouses.values import Capacity, ColumnType, Era

JSON_COMMENT = " comment 'JSON'"
"""Texts and JSON are both String: the comment tells them apart."""
REPEATS = "non_replicated_deduplication_window = 1000"
"""What is inserted with the same token twice is stored once."""

_FEW_VALUES = frozenset({"channel", "source", "event", "event_text"})
"""Texts of events that are the same in many rows."""
_NEVER_NULL = frozenset({"id", "source", "timestamp", "received_at"})
"""Of events: what tells them apart, and what they are ordered by."""
_MARKS = {"_version": "UInt64", "_gone": "UInt8"}
"""The engine takes no other types."""
_ORDER = {
    "events": "(toDate(timestamp), source, id)",
    "ids": "high",
    "cursors": "log_id",
    "journal": "version",
}
_SETTINGS = {
    "events": f"{REPEATS}, allow_nullable_key = 1",
    "ids": "index_granularity = 256, min_compress_block_size = 2048, max_compress_block_size = 4096",
    "cursors": "index_granularity = 8192",
    "journal": "index_granularity = 8192",
    "graph": "allow_nullable_key = 1, index_granularity = 1024",
}
"""The ids of a load are looked for one by one, each in as few bytes as can be."""


def nullable(kind: str) -> str:
    """A type of the catalogue, such as the dialect's are written: a column is not another for what it is optimised."""
    for wrapper in ("LowCardinality", "Nullable"):
        if kind.startswith(f"{wrapper}("):
            kind = kind[len(wrapper) + 1 : -1]
    return f"Nullable({kind})"


def create(table: NewTable, prefix: str = "") -> Iterator[str]:
    """What is stored twice nevertheless becomes one row when parts are merged. `prefix` is that of the engine."""
    columns = ", ".join(f"{quoted(name)} {_type(table, name, kind)}" for name, kind in table.columns.items())
    engine = {
        "events": "ReplacingMergeTree partition by toYYYYMM(received_at)",
        "cursors": "ReplacingMergeTree(next_offset)",
        "graph": "ReplacingMergeTree(_version, _gone)",
    }.get(table.role, "MergeTree")
    order = _ORDER.get(table.role) or _whole_row(table)
    yield (
        f"create table if not exists {quoted(table.name)} ({columns})"
        f" engine = {prefix}{engine} order by {order} settings {_SETTINGS[table.role]}"
    )


def pick(asked: Pick) -> str:
    """An aggregate over tuples."""
    function = "argMaxIf" if asked.is_latest else "argMinIf"
    return f"{function}({asked.value}, tuple({', '.join(asked.keys)}), ({asked.where}) and {asked.value} is not null)"


def _type(table: NewTable, name: str, kind: str) -> str:
    if name in _MARKS:
        return _MARKS[name]
    never_null = _NEVER_NULL if table.role == "events" else table.required
    if name in never_null:
        kind = kind.removeprefix("Nullable(").removesuffix(")")
    if table.role == "ids":
        return f"{kind} codec(NONE)"
    return f"LowCardinality({kind})" if table.role == "events" and name in _FEW_VALUES else kind


def _whole_row(table: NewTable) -> str:
    """A row of the graph is told by all that is in it, and found by its first hash."""
    names: Sequence[str] = [*table.searched[:1], *(name for name in table.columns if name not in table.searched[:1])]
    return f"({', '.join(quoted(name) for name in names if name not in _MARKS)})"


DIALECT = Dialect(
    types={
        ColumnType.BOOLEAN: "Nullable(Bool)",
        ColumnType.INTEGER: "Nullable(Int64)",
        ColumnType.NUMBER: "Nullable(Float64)",
        ColumnType.MOMENT: "Nullable(DateTime64(6, 'UTC'))",
        ColumnType.TEXT: "Nullable(String)",
        ColumnType.JSON: f"Nullable(String){JSON_COMMENT}",
    },
    bulk=BulkFormat.PARQUET,
    is_transactional=False,
    capacity=Capacity(era=Era(datetime(1900, 1, 1, tzinfo=UTC), datetime(2299, 12, 31, tzinfo=UTC))),
    create=create,
    add_column="add column if not exists {column} {type}",
    widen_column="alter table {table} modify column {column} {type}",
    create_view=(
        "create or replace view {view} as select * from ({query})"
        " settings join_use_nulls = 1, prefer_column_name_to_alias = 1"
    ),
    moment_of="fromUnixTimestamp64Micro({us}, 'UTC')",
    us_of="toUnixTimestamp64Micro({moment})",
    md5="lower(hex(MD5({text})))",
    trim="replaceRegexpAll({text}, concat('^[', {characters}, ']+|[', {characters}, ']+$'), '')",
    contains="position({text}, {part}) > 0",
    text_of="cast({value} as Nullable(String))",
    pick=pick,
    adds_columns_at_once=True,
    truth_of="cast({condition} as Bool)",
    lower="lowerUTF8({text})",
    length="lengthUTF8({text})",
    null_json="cast(null as Nullable(String))",
    graph="{table} {alias} final",
    escapes=True,
)


def dialect_of(prefix: str) -> Dialect:
    """The SQL that makes tables with the engines of this prefix."""
    return replace(DIALECT, create=partial(create, prefix=prefix))
