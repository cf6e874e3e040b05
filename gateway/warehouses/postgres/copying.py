"""Rows as PostgreSQL's COPY reads them in its binary form: neither side writes or reads texts for numbers and times.

Source: the manual's page "COPY", section "Binary Format".
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import duckdb
import nanoarrow as na
from nanoarrow.c_array import CArray
from nanoarrow.c_schema import CSchema
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb

from gateway.warehouses.servers.packing import Parcel
from gateway.warehouses.shaping.engine import failure, first_line

ROWS_AT_ONCE = 2_048
"""The encoder keeps Python's lock for so many: 1 to 4 ms."""

_AT_FAULT = ("Conversion Error", "Invalid Input Error", "Out of Memory Error", "Out of Range Error")
"""How DuckDB's errors about rows begin."""


@contextmanager
def pack(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[Parcel]:
    """See Pack. The rows are in memory from now on, and go when they are sent."""
    connection.complete()
    relation = connection.sql(query)
    json_columns = {name for name, kind in zip(relation.columns, relation.types, strict=True) if str(kind) == "JSON"}
    with na.c_array_stream(relation) as stream:
        schema, arrays = stream.get_schema(), read(stream)
    yield Parcel(_encoded(schema, arrays, json_columns), sum(map(len, arrays)))


def read(stream: Iterable[CArray]) -> list[CArray]:
    """Raises WarehouseRowError or WarehouseError, as `translated` does with DuckDB's own: here they come as texts."""
    try:
        return list(stream)
    except RuntimeError as error:
        _, _, said = first_line(error).partition(": ")
        raise failure(said, is_of_rows=said.startswith(_AT_FAULT)) from error


def _encoded(schema: CSchema, arrays: list[CArray], json_columns: set[str]) -> Iterator[bytes]:
    encoders = {
        column.name: StringEncoderBuilder.new_with_output(column, Jsonb())
        if column.name in json_columns
        else ArrowToPostgresBinaryEncoder.infer_encoder(column)
        for column in schema.children
    }
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, encoders)
    yield encoder.write_header()
    while arrays:
        rows = arrays.pop(0)
        for first in range(0, len(rows), ROWS_AT_ONCE):
            piece = encoder.write_batch(rows[first : min(first + ROWS_AT_ONCE, len(rows))])
            if piece:
                yield piece
    yield bytes(encoder.finish())
