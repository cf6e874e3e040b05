"""The graph's tables in the file, and the room that changing them takes."""

from collections.abc import Sequence

import duckdb

from gateway.warehouses.identity.tables import CLAIMS, GRAPH_TABLES, LINKS, NULLABLE, PLACES, TENURES
from gateway.warehouses.names import literal
from gateway.warehouses.shaping.expressions import SQL_TYPES

_UNPACKED = {(PLACES, "person_id"), (PLACES, "message_id"), (PLACES, "owner")}
"""Rows that lie far from each other are read: to unpack all around them would take longer than anything else."""

_PER_ROW = 8
"""Bytes that DuckDB holds in memory for every row of a stretch of 2,048 in which one is deleted."""
_LARGEST_ROOM = 2**30


def make_room(connection: duckdb.DuckDBPyConnection, memory_limit: int, changing: Sequence[str]) -> None:
    """Let DuckDB use what it needs to delete rows of these tables, besides `memory_limit`: they may be everywhere."""
    names = ", ".join(map(literal, changing))
    sizes = f"select coalesce(sum(estimated_size), 0) from duckdb_tables() where table_name in ({names})"
    ((rows,),) = connection.execute(sizes).fetchall()
    room = min(_PER_ROW * int(rows), _LARGEST_ROOM)
    connection.execute(f"set memory_limit = '{memory_limit + room}B'")


def _column(table: str, name: str) -> str:
    unpacked = " using compression uncompressed" if (table, name) in _UNPACKED else ""
    constraint = "" if (table, name) in NULLABLE else " not null"
    return f"{name} {SQL_TYPES[GRAPH_TABLES[table][name]]}{unpacked}{constraint}"


CREATE_TABLES = tuple(
    f"create table if not exists {table} ({', '.join(_column(table, name) for name in columns)})"
    for table, columns in GRAPH_TABLES.items()
)
REPLACED = (PLACES, TENURES)
"""Of these, a load replaces rows."""
GRAPH = (CLAIMS, LINKS, *REPLACED)
