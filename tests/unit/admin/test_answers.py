"""JSON out and in, whatever clients and warehouses put into it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.admin.answers import RequestError, as_stored, encode, iso, whole_number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**127, 2**127),
        ("\ud800", "\ud800"),
        (Decimal("12.50"), 12.5),
        (Decimal("0.12345678901234567890123"), "0.12345678901234567890123"),
        (datetime(2026, 5, 1, 8, tzinfo=UTC), "2026-05-01T08:00:00+00:00"),
        (date(2026, 5, 1), "2026-05-01"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\xff\x00", "/wA="),
        ({1: (2, 3)}, {"1": [2, 3]}),
        (float("nan"), None),
    ],
)
def test_every_value_of_a_warehouse_has_a_form_in_json(value: object, expected: object):
    assert json.loads(encode([value])) == [expected]


def test_values_of_all_kinds_share_one_answer():
    row = [2**100, Decimal("1.5"), datetime(2026, 5, 1, tzinfo=UTC), b"x", {"a": None}]

    assert json.loads(encode(row)) == [2**100, 1.5, "2026-05-01 00:00:00+00:00", "eA==", {"a": None}]


@pytest.mark.parametrize("number", ["1e999", "123456789012345678901234567890"])
def test_numbers_that_are_too_large_for_most_parsers_stay_as_they_were_sent(number: str):
    event = b'{"value":%b}' % number.encode()

    assert encode({"event": as_stored(event)}) == b'{"event":%b}' % event


@pytest.mark.parametrize("value", ["x", "-1", "1001", None])
def test_numbers_of_requests_have_bounds(value: str | None):
    with pytest.raises(RequestError, match="limit"):
        whole_number({"limit": value}, "limit", 10, 1000)


def test_a_time_that_never_was_stays_nothing():
    assert (iso(None), iso(0), iso(1000)) == (None, None, "1970-01-01T00:00:01.000Z")
