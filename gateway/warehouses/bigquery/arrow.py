"""Rows of a file of Parquet as record batches of Arrow, each small enough for one request."""

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import duckdb
import nanoarrow as na
from nanoarrow.c_array_stream import CArrayStream
from nanoarrow.ipc import StreamWriter

from gateway.warehouses.names import literal

MOST_BYTES = 7 * 2**20
"""Of a batch: a request may have 10 MB."""
MOST_ROWS = 2_000
MEMORY_BYTES = 256 * 2**20
_END_OF_STREAM_BYTES = 8


class Batch(NamedTuple):
    """Rows as Arrow's messages; `offset` is the number of the first."""

    offset: int
    rows: int
    message: bytes


class Batches(NamedTuple):
    """Those of one file."""

    schema: bytes
    batches: list[Batch]


def batches_of(file: Path) -> Batches:
    """All of it."""
    with closing(duckdb.connect(config={"memory_limit": f"{MEMORY_BYTES}B", "threads": "1"})) as connection:
        connection.execute("set timezone = 'UTC'")
        source = f"read_parquet({literal(str(file))}, file_row_number = true)"
        ((rows,),) = connection.execute(f"select count(*) from {source}").fetchall()
        part = f"select * exclude (file_row_number) from {source} where file_row_number between {{}} and {{}} - 1"
        schema = _stream(connection.sql(part.format(0, 0)))[:-_END_OF_STREAM_BYTES]
        return Batches(schema, list(_within(connection, part, len(schema), 0, rows)))


def _within(
    connection: duckdb.DuckDBPyConnection, part: str, schema_bytes: int, first: int, end: int
) -> Iterator[Batch]:
    """The rows from `first` on and before `end`, in halves where they are too many or too large together."""
    if first == end:
        return
    if end - first <= MOST_ROWS:
        message = _stream(connection.sql(part.format(first, end)))[schema_bytes:-_END_OF_STREAM_BYTES]
        if len(message) <= MOST_BYTES or end - first == 1:
            yield Batch(first, end - first, message)
            return
    middle = (first + end) // 2
    yield from _within(connection, part, schema_bytes, first, middle)
    yield from _within(connection, part, schema_bytes, middle, end)


def _stream(rows: duckdb.DuckDBPyRelation) -> bytes:
    """The schema, one batch where there are rows, and the end."""
    stream = na.c_array_stream(rows)
    schema = stream.get_schema()
    arrays = list(stream)
    written = BytesIO()
    with StreamWriter.from_writable(written) as writer:
        writer.write_stream(CArrayStream.from_c_arrays(arrays, schema))
    return written.getvalue()
