"""What the server's own behaviour makes of a connection, and what the owner is told."""

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.model.errors import WarehouseError
from gateway.warehouses.clickhouse import CLICKHOUSE, ClickHouseSettings
from gateway.warehouses.clickhouse.answers import rows_of
from gateway.warehouses.clickhouse.http import Http, RefusedError, at_fault
from tests.integration.warehouses.support.places.clickhouse import serve
from tests.integration.warehouses.support.places.place import NewSettings


@pytest.fixture(scope="module")
def places() -> Iterator[NewSettings]:
    with serve() as new_settings:
        yield new_settings


@pytest.fixture
def settings(places: NewSettings, tmp_path: Path) -> ClickHouseSettings:
    return ClickHouseSettings.model_validate({**places(tmp_path), "database": "system"})


def test_a_connection_that_was_closed_meanwhile_is_made_anew(settings: ClickHouseSettings):
    with closing(Http(settings)) as http:
        http.run("select 1")
        assert http._connection is not None
        http._connection.sock.shutdown(socket.SHUT_RDWR)

        assert rows_of(http.run("select 2")[1]).rows == [(2,)]


def test_a_server_that_is_not_there_is_named():
    with closing(Http(ClickHouseSettings(url="http://127.0.0.1:9"))) as http:
        with pytest.raises(WarehouseError, match=re.escape("http://127.0.0.1:9")) as raised:
            http.run("select 1")

        assert "check the url" in raised.value.hint


def test_what_the_server_says_of_a_visitors_row_is_left_out():
    said = "Code: 27. DB::Exception: Cannot parse input: expected ',' before: 'ada@shop.example'. (CANNOT_PARSE_INPUT)"

    error = at_fault(RefusedError(27, said, ""), ["tracks"])

    assert str(error) == "ClickHouse refuses these rows of tracks: CANNOT_PARSE_INPUT (27)"
    assert at_fault(RefusedError(252, "Too many parts. (TOO_MANY_PARTS)", "")) is None


def test_texts_with_any_end_of_line_and_numbers_are_what_they_were(settings: ClickHouseSettings):
    with closing(Http(settings)) as http:
        answer = http.run(
            "select 'a\u2028b\\nc\x1cd', 1::Float64, 9223372036854775807::Int64, null::Nullable(Float64)"
        )[1]

    assert rows_of(answer).rows == [("a\u2028b\nc\x1cd", 1.0, 9223372036854775807, None)]
    assert isinstance(rows_of(answer).rows[0][1], float)


def test_check_makes_nothing(places: NewSettings, tmp_path: Path):
    settings = ClickHouseSettings.model_validate(places(tmp_path))
    assert CLICKHOUSE.probe is not None

    CLICKHOUSE.probe(settings)

    with closing(Http(settings)) as http:
        told = http.run(f"select 1 from system.databases where name = '{settings.database}'", {"database": "system"})
        assert rows_of(told[1]).rows == []
