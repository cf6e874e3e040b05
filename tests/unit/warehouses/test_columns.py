"""How events make columns, and where a value goes that fits none."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.warehouses.columns import NAME, TOO_MANY_COLUMNS, TYPE, Column, Columns
from gateway.warehouses.values import Capacity, ColumnType, Era, leaves


def learned(*values: dict[str, Any], max_columns: int = 100) -> Columns:
    columns = Columns(max_columns)
    for value in values:
        columns.learn(value)
    return columns


def types(columns: Columns) -> dict[str, ColumnType | None]:
    return {column.name: column.type for column in columns.by_name.values()}


def split(columns: Columns, value: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, int]]:
    warnings: Counter[str] = Counter()
    fitting, extra = columns.split(value, warnings)
    return fitting, extra, dict(warnings)


def test_the_first_value_of_a_key_makes_its_column() -> None:
    columns = learned({"price": 19.99, "product": {"name": "shirt"}, "gone": None})

    assert types(columns) == {"price": ColumnType.NUMBER, "product_name": ColumnType.TEXT}


def test_a_column_that_is_new_takes_the_type_of_all_its_values() -> None:
    columns = learned({"price": 20, "order": 7}, {"price": 19.99, "order": "A-7"})

    assert types(columns) == {"price": ColumnType.NUMBER, "order": ColumnType.TEXT}


def test_a_stored_column_is_widened_from_integer_to_number_only() -> None:
    columns = Columns(100)
    columns.restore(Column("price", ColumnType.INTEGER, is_stored=True))
    columns.restore(Column("order", ColumnType.INTEGER, is_stored=True))

    columns.learn({"price": 19.99, "order": "A-7"})

    assert types(columns) == {"price": ColumnType.NUMBER, "order": ColumnType.INTEGER}
    assert not columns.has_place_for({"order": "A-7"})


@pytest.mark.parametrize(
    ("value", "fitting", "extra", "reason"),
    [
        ({"price": "free"}, {}, {"price": "free"}, TYPE),
        ({"price": 5, "new": 1}, {"price": 5}, {"new": 1}, TOO_MANY_COLUMNS),
        ({"€": 1}, {}, {"€": 1}, NAME),
        ({"price": 5, "Price": 6}, {"price": 5}, {"Price": 6}, NAME),
        ({"product": {"name": "x", "€": [1]}}, {"product": {"name": "x"}}, {"product": {"€": [1]}}, NAME),
    ],
)
def test_what_fits_no_column_is_kept_as_it_was(
    value: dict[str, Any], fitting: dict[str, Any], extra: dict[str, Any], reason: str
) -> None:
    columns = learned({"price": 1, "product": {"name": "shirt"}}, max_columns=2)

    assert not columns.has_place_for(value)
    assert split(columns, value) == (fitting, extra, {reason: 1})


def test_another_spelling_of_a_key_is_read_where_the_first_is() -> None:
    columns = learned({"productId": "p1"})

    assert not columns.has_place_for({"product_id": "p2"})
    assert split(columns, {"product_id": "p2"}) == ({"productId": "p2"}, {}, {})


def test_a_key_that_is_now_a_value_and_now_an_object_has_two_columns() -> None:
    columns = learned({"product": "shirt"}, {"product": {"name": "shirt"}})

    assert set(types(columns)) == {"product", "product_name"}
    assert split(columns, {"product": {"name": "x"}}) == ({"product_name": "x"}, {}, {})
    assert split(columns, {"product": "y"}) == ({"product": "y"}, {}, {})


def test_a_key_that_is_now_an_object_and_now_a_value_has_two_columns() -> None:
    columns = learned({"product": {"name": "shirt"}}, {"product": "shirt"})
    value = {"product": "y"}

    fitting, extra, _ = split(columns, value)

    assert (fitting, extra) == ({}, value) or columns.has_place_for(fitting)


def test_a_type_that_somebody_else_gave_a_column_takes_nothing() -> None:
    columns = Columns(100)
    columns.restore(Column("price", None, is_stored=True))

    columns.learn({"price": 5})

    assert list(columns.readable()) == []
    assert split(columns, {"price": 5}) == ({}, {"price": 5}, {TYPE: 1})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(
    st.sampled_from(["a", "A", "b", "b_c", "id", "€", "", "1"]) | st.text(max_size=3), JSON, max_size=6
)


@given(st.lists(OBJECTS, max_size=4), OBJECTS, st.integers(0, 4))
def test_no_value_is_lost(earlier: list[dict[str, Any]], value: dict[str, Any], max_columns: int) -> None:
    columns = learned(*earlier, max_columns=max_columns)

    fitting, extra, warnings = split(columns, value)

    values = [leaf for _, leaf in leaves(value) if leaf is not None]
    kept = [leaf for part in (fitting, extra) for _, leaf in leaves(part) if leaf is not None]
    assert len(kept) == len(values)
    assert sum(warnings.values()) == sum(1 for _, leaf in leaves(extra) if leaf is not None)
    assert columns.has_place_for(fitting)


def test_a_column_that_the_warehouse_did_not_make_wider_stays_as_it_is():
    columns = Columns(100)
    columns.restore(Column("total", ColumnType.INTEGER))
    columns.learn({"total": 2.5})
    columns.restore(Column("total", ColumnType.INTEGER))

    assert columns.learn({"total": 2.5}) == []
    assert types(columns) == {"total": ColumnType.INTEGER}
    assert split(columns, {"total": 2.5}) == ({}, {"total": 2.5}, {TYPE: 1})


def test_a_text_of_more_bytes_than_a_column_holds_goes_to_extra():
    columns = Columns(100, capacity=Capacity(longest_text=5))
    columns.learn({"note": "", "list": []})

    assert split(columns, {"note": "ääx"}) == ({"note": "ääx"}, {}, {})
    assert split(columns, {"note": "äää"}) == ({}, {"note": "äää"}, {TYPE: 1})
    assert split(columns, {"list": ["äääx"]}) == ({"list": [["ää", "äx"]]}, {}, {})


def test_a_moment_that_the_warehouse_cannot_hold_goes_aside() -> None:
    era = Era(datetime(1900, 1, 1, tzinfo=UTC), datetime(2300, 1, 1, tzinfo=UTC))
    columns = Columns(100, capacity=Capacity(era=era))
    columns.learn({"born": "1815-12-10T00:00:00Z"})

    assert columns.by_name["born"].type is ColumnType.MOMENT
    assert columns.split({"born": "1815-12-10T00:00:00Z"}, Counter()) == ({}, {"born": "1815-12-10T00:00:00Z"})
    assert columns.split({"born": "1912-06-23T00:00:00Z"}, Counter())[1] == {}
