"""Changes at the paths that an owner names."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.govern.places import GONE, changed_at, parsed

EVENT: dict[str, Any] = {
    "type": "track",
    "traits": {"email": "ada@shop.example", "address": {"street": "Main", "city": "Ghent"}},
    "properties": {"products": [{"name": "Boots", "cost": 3}, [{"cost": 1}], "text"], "card_no": 1, "card_cvc": 2},
    "context": {"traits": {"email": "ada@shop.example"}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)
PATHS = st.lists(st.lists(st.sampled_from(["a", "b", "*", "?"]), min_size=1, max_size=3).map(".".join), max_size=3)


def removed(event: dict[str, Any], *paths: str) -> Any:
    before = copy.deepcopy(event)
    result = changed_at(event, parsed(paths), lambda _: GONE)
    assert before == event, "what is handed in is never changed"
    return result


def test_a_path_leads_inwards_and_through_lists():
    result = removed(EVENT, "traits.email", "traits.address", "properties.products.cost", "properties.card_*")

    assert result == {
        **EVENT,
        "traits": {},
        "properties": {"products": [{"name": "Boots"}, [{}], "text"]},
    }
    assert result["context"] is EVENT["context"]


def test_a_pattern_fits_keys_at_its_level_alone():
    assert removed(EVENT, "*.email") == {**EVENT, "traits": {"address": EVENT["traits"]["address"]}}


@pytest.mark.parametrize("path", ["traits.phone", "email", "type.x", "properties.card_no.x", "traits.email.x"])
def test_a_path_that_leads_nowhere_changes_nothing(path: str):
    assert removed(EVENT, path) is EVENT


@pytest.mark.parametrize(
    ("path", "set_aside"),
    [
        ("properties.email", {"properties": [{"email": "ada@shop.example"}]}),
        ("traits", {"traits": "ada@shop.example"}),
        ("context.traits.email", {"context.traits": [{"email": "ada@shop.example"}]}),
    ],
)
def test_what_intake_set_aside_is_found_where_it_is_now(path: str, set_aside: dict[str, Any]):
    result = removed({"context": {"gateway": {"setAside": set_aside}}}, path)

    assert "ada@shop.example" not in str(result)


@given(JSON.filter(lambda value: isinstance(value, dict)), PATHS)
def test_any_json_may_be_met(event: dict[str, Any], paths: list[str]):
    result = removed(event, *paths)

    assert removed(result, *paths) is result
