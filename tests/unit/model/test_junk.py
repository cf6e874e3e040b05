"""Values that name nobody."""

import pytest

from gateway.model.junk import is_junk


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "null", "NULL", "undefined", "none", "n/a", "anonymous", "0", "-1", "[object Object]", "NaN"),
        *("00000000-0000-0000-0000-000000000000", " None\t", "x" * 513),
    ],
)
def test_a_placeholder_names_nobody(value: str):
    assert is_junk(value)


@pytest.mark.parametrize("value", ["u1", "10", "-2", "nullius", "ann@shop.example", "x" * 512])
def test_an_id_names_somebody(value: str):
    assert not is_junk(value)


def test_the_owner_can_name_more():
    assert is_junk(" Test ", frozenset({"test"}))
