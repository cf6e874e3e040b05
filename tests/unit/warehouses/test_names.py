"""Names of tables and columns, as Segment's and RudderStack's warehouses have them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.warehouses.names import MAX_NAME_CHARACTERS, RESERVED_TABLES, column_name, literal, quoted, table_name


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("Order Completed", "order_completed"),
        ("orderCompleted", "order_completed"),
        ("order-completed", "order_completed"),
        ("CamelCase123Key", "camel_case123_key"),
        ("omega v2", "omega_v2"),
        ("HTTPRequest", "http_request"),
        ("path to $1,00,000", "path_to_1_00_000"),
        ("2nd Visit", "_2_nd_visit"),
        ("Users", "_users"),
        ("tracks", "_tracks"),
        ("_private", "_private"),
        ("_headwater_ids", "__headwater_ids"),
        ("_partitiontime", "__partitiontime"),
        ("Ünïcode", "n_code"),
        ("注文", ""),
        ("🛒 Added", "added"),
        ("", ""),
    ],
)
def test_an_event_has_a_table(event: str, table: str) -> None:
    assert table_name(event) == table


@pytest.mark.parametrize(
    ("path", "column"),
    [
        (("price",), "price"),
        (("productId",), "product_id"),
        (("product", "name"), "product_name"),
        (("id",), "_id"),
        (("timestamp",), "_timestamp"),
        (("_extra",), "__extra"),
        (("context_ip",), "_context_ip"),
        (("ctid",), "_ctid"),
        (("_TABLE_SUFFIX",), "__table_suffix"),
        (("42",), "_42"),
        (("€",), ""),
        (("product", "€"), ""),
    ],
)
def test_a_property_has_a_column(path: tuple[str, ...], column: str) -> None:
    assert column_name(path) == column


def test_the_context_has_columns_of_its_own() -> None:
    assert column_name(("page", "url"), "context_") == "context_page_url"
    assert column_name(("userAgent",), "context_") == "context_user_agent"


def test_two_long_names_stay_apart() -> None:
    first, second = table_name("a" * 100 + " one"), table_name("a" * 100 + " two")

    assert first != second
    assert len(first) == len(second) == MAX_NAME_CHARACTERS


@given(st.text())
def test_any_event_name_makes_a_plain_identifier_or_none(event: str) -> None:
    name = table_name(event)

    assert name == "" or re.fullmatch(r"[a-z_][a-z0-9_]*", name)
    assert len(name) <= MAX_NAME_CHARACTERS
    assert name not in RESERVED_TABLES


def test_identifiers_and_texts_are_quoted() -> None:
    assert quoted('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
