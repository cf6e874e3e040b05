"""Where files are: `tracks/received_date=2025-11-25/LOG-FIRST-NEXT-IDS.parquet`.

FIRST and NEXT are offsets of twenty digits in the queue LOG: the file holds rows of events from FIRST up to NEXT. IDS
is made of the ids of these events: where offsets are given out again (a queue put back from a backup), nothing is
written over. The folders are read as partitions by DuckDB, Spark, Athena and BigQuery.
"""

import re

from gateway.warehouses.names import DATE

_PATH = re.compile(rf"(?P<table>[a-z0-9_]+)/{DATE}=\d{{4}}-\d\d-\d\d/[^/]+\.parquet")


def file_name(log_id: str, first_offset: int, next_offset: int, ids: int) -> str:
    """The same for the same events, by whichever attempt. `ids` has 64 bits. A replay's log is `LOG#NAME`."""
    return f"{log_id.replace('#', '.')}-{first_offset:020d}-{next_offset:020d}-{ids:016x}.parquet"


def file_path(table: str, date: str, name: str) -> str:
    """Below the warehouse's own place; `date` is like 2025-11-25."""
    return f"{table}/{DATE}={date}/{name}"


def all_files(table: str) -> str:
    """A pattern for the files of a table, whoever wrote them."""
    return f"{table}/{DATE}=*/*.parquet"


def snapshot_path(table: str, gateway: str) -> str:
    """Of a table of the identity graph: each gateway keeps its own."""
    return f"{table}/{gateway}.parquet"


def table_of(path: str) -> str | None:
    """None for what is no file with events."""
    found = _PATH.fullmatch(path)
    return found["table"] if found else None
