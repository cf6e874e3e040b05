"""JSON values and the column types that they fit."""

from typing import Any

import orjson
import pytest

from gateway.warehouses.values import ColumnType, Misfit, bounded, decode, fitted, leaves, type_of, widened


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, ColumnType.BOOLEAN),
        (3, ColumnType.INTEGER),
        (2**63 - 1, ColumnType.INTEGER),
        (2**63, None),
        (19.99, ColumnType.NUMBER),
        ("shirt", ColumnType.TEXT),
        ("2026-11-25", ColumnType.TEXT),
        ("2026-11-25T12:00:00Z", ColumnType.MOMENT),
        ("2026-11-25T12:00:00.123+02:00", ColumnType.MOMENT),
        ("2026-02-30T12:00:00Z", ColumnType.TEXT),
        ("0000-01-01T00:00:00Z", ColumnType.TEXT),
        ([1, 2], ColumnType.JSON),
        (None, None),
    ],
)
def test_a_value_has_a_type(value: Any, kind: ColumnType | None) -> None:
    assert type_of(value) is kind


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (ColumnType.TEXT, 5, "5"),
        (ColumnType.TEXT, True, "true"),
        (ColumnType.TEXT, [1], "[1]"),
        (ColumnType.NUMBER, 5, 5),
        (ColumnType.INTEGER, 5, 5),
        (ColumnType.BOOLEAN, False, False),
        (ColumnType.JSON, "x", "x"),
        (ColumnType.MOMENT, "2026-11-25T12:00:00+02:00", "2026-11-25T10:00:00.000000Z"),
        (ColumnType.INTEGER, None, None),
    ],
)
def test_a_value_that_fits_is_stored(kind: ColumnType, value: Any, stored: Any) -> None:
    assert fitted(value, kind) == stored


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnType.INTEGER, 1.5),
        (ColumnType.INTEGER, "5"),
        (ColumnType.INTEGER, True),
        (ColumnType.INTEGER, 2**63),
        (ColumnType.NUMBER, 2**53 + 1),
        (ColumnType.NUMBER, "1"),
        (ColumnType.NUMBER, orjson.Fragment("1e999")),
        (ColumnType.BOOLEAN, 1),
        (ColumnType.BOOLEAN, "true"),
        (ColumnType.MOMENT, "tomorrow"),
        (ColumnType.MOMENT, 1764046800000),
        (None, "anything"),
    ],
)
def test_nothing_is_rounded_or_guessed(kind: ColumnType | None, value: Any) -> None:
    with pytest.raises(Misfit):
        fitted(value, kind)


def test_types_of_a_new_column_meet() -> None:
    assert widened(ColumnType.INTEGER, ColumnType.NUMBER) is ColumnType.NUMBER
    assert widened(ColumnType.MOMENT, ColumnType.TEXT) is ColumnType.TEXT
    assert widened(ColumnType.BOOLEAN, ColumnType.INTEGER) is ColumnType.TEXT


def test_objects_are_flattened_and_empty_ones_say_nothing() -> None:
    value = {"a": 1, "b": {"c": 2, "d": {}}, "e": {}, "f": None, "g": {"1": {"2": {"3": {"4": 5}}}}}

    assert list(leaves(value)) == [
        (("a",), 1),
        (("b", "c"), 2),
        (("f",), None),
        (("g", "1", "2", "3"), {"4": 5}),
    ]


def test_numbers_beyond_what_python_and_json_share_keep_their_digits() -> None:
    event = decode(b'{"big":123456789012345678901234567890,"huge":1e999,"exact":9007199254740993,"small":1.5}')

    assert orjson.dumps(event) == (
        b'{"big":123456789012345678901234567890,"huge":1e999,"exact":9007199254740993,"small":1.5}'
    )


def test_json_for_a_server_with_bounds_has_long_texts_in_pieces_and_long_numbers_as_texts():
    value = decode(
        b'{"a": "1234567", "b": [%s, 18446744073709551616, 1e400, 5], "c": {"d": "\xf0\x9f\x98\x80x"}}' % (b"9" * 39)
    )

    assert orjson.loads(orjson.dumps(bounded(value, 4))) == {
        "a": ["1234", "567"],
        "b": ["9" * 39, 1.8446744073709552e19, "1e400", 5],
        "c": {"d": ["😀", "x"]},
    }
    assert bounded(value, None) is value
