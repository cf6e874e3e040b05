"""Rows in the binary form of PostgreSQL's COPY. Source: its manual's page "COPY", section "Binary Format"."""

from collections.abc import Iterator

import duckdb
import pytest
from nanoarrow.c_array import CArray

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.postgres.copying import ROWS_AT_ONCE, pack, read

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(4) + bytes(4)
END = b"\xff\xff"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def copied(connection: duckdb.DuckDBPyConnection, query: str) -> bytes:
    with pack(connection, query) as parcel:
        return b"".join(parcel.content)


def test_a_row_is_its_fields_each_with_its_length(connection: duckdb.DuckDBPyConnection):
    row = copied(
        connection,
        """select 'né' as text, null::varchar as nothing, 7::bigint as number, 0.5::double as part, true as truth,
            '2000-01-01 00:00:01Z'::timestamptz as moment, '{"a":1}'::json as properties""",
    )

    fields = [
        b"\0\0\0\x03n\xc3\xa9",
        b"\xff\xff\xff\xff",
        b"\0\0\0\x08" + (7).to_bytes(8),
        b"\0\0\0\x08" + bytes.fromhex("3fe0000000000000"),
        b"\0\0\0\x01\x01",
        b"\0\0\0\x08" + (1_000_000).to_bytes(8),
        b'\0\0\0\x08\x01{"a":1}',
    ]
    assert row == HEADER + len(fields).to_bytes(2) + b"".join(fields) + END


def test_no_rows_are_a_parcel_too(connection: duckdb.DuckDBPyConnection):
    with pack(connection, "select 1 where false") as parcel:
        assert parcel.rows == 0
        assert b"".join(parcel.content) == HEADER + END


def test_every_row_comes_once_and_in_order(connection: duckdb.DuckDBPyConnection):
    number = 2 * ROWS_AT_ONCE + 1

    with pack(connection, f"select range::bigint as n from range({number})") as parcel:
        rows = b"".join(parcel.content)

    assert parcel.rows == number
    assert rows == HEADER + b"".join(b"\0\x01\0\0\0\x08" + n.to_bytes(8) for n in range(number)) + END


def test_what_was_begun_before_it_is_finished_first(connection: duckdb.DuckDBPyConnection):
    connection.execute("create temp table t as select 7::bigint as n")

    assert copied(connection, "select n from temp.t") == HEADER + b"\0\x01\0\0\0\x08" + (7).to_bytes(8) + END


@pytest.mark.parametrize(
    "query",
    [
        "select cast(s as int) from (values ('a')) t(s)",
        "select if(i = 9000, error('odd'), 'fine') from range(9999) r(i)",
    ],
    ids=["at once", "in the middle"],
)
def test_rows_that_cannot_be_made_are_at_fault(connection: duckdb.DuckDBPyConnection, query: str):
    with pytest.raises((WarehouseRowError, duckdb.DataError)), pack(connection, query):
        pass


def test_what_fails_for_another_reason_is_tried_again():
    def stream() -> Iterator[CArray]:
        yield from ()
        raise RuntimeError("ArrowArrayStream::get_next() failed (5): IO Error: No space left on device")

    with pytest.raises(WarehouseError, match=r"^IO Error: No space left on device") as failure:
        read(stream())
    assert "tried again" in failure.value.hint
