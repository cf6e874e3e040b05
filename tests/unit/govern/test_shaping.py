"""Which fields of an event go along."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import FieldRules
from gateway.govern.shaping import compiled

EVENT: dict[str, Any] = {
    "type": "track",
    "messageId": "m1",
    "event": "Order Completed",
    "properties": {
        "total": 12,
        "card_number": "4111",
        "card_name": "Ada",
        "products": [{"name": "Boots", "cost": 3}, {"name": "Socks", "cost": 1}],
        "a*b": 1,
    },
    "context": {"ip": "203.0.113.9", "traits": {"email": "ada@example.com", "plan": "pro"}},
}


def shaped(**rules: Any) -> dict[str, Any]:
    shape = compiled(FieldRules(**rules))
    assert shape is not None
    before = copy.deepcopy(EVENT)
    result = shape(EVENT)
    assert before == EVENT, "the event is shared with other destinations"
    return result


def test_without_rules_nothing_is_copied():
    assert compiled(FieldRules()) is None


def test_denied_fields_do_not_go_along_wherever_they_are():
    result = shaped(deny=["context.ip", "context.traits.email", "properties.card_*", "properties.products.cost"])

    assert result == {
        **EVENT,
        "properties": {"total": 12, "products": [{"name": "Boots"}, {"name": "Socks"}], "a*b": 1},
        "context": {"traits": {"plan": "pro"}},
    }


def test_of_a_table_that_is_named_nothing_but_what_is_allowed_goes_along():
    result = shaped(allow=["properties.total", "properties.products.name"])

    assert result["properties"] == {"total": 12, "products": [{"name": "Boots"}, {"name": "Socks"}]}
    assert result["context"] == EVENT["context"]


@pytest.mark.parametrize("path", ["properties.products.*.name", "properties.products.name"])
def test_a_path_leads_through_a_list_with_and_without_a_star(path: str):
    assert shaped(allow=[path])["properties"] == {"products": [{"name": "Boots"}, {"name": "Socks"}]}
    assert shaped(deny=[path])["properties"]["products"] == [{"cost": 3}, {"cost": 1}]


@pytest.mark.parametrize("path", ["properties.total.deeper", "properties.*.nothing", "properties.card_*.x"])
def test_what_only_shares_the_beginning_of_an_allowed_path_does_not_go_along(path: str):
    assert shaped(allow=[path])["properties"] in ({}, {"products": [{}, {}]})


def test_a_field_is_moved_to_its_new_place():
    result = shaped(rename={"properties.total": "properties.money.value", "context.traits.plan": "traits.plan"})

    assert "total" not in result["properties"]
    assert result["properties"]["money"] == {"value": 12}
    assert result["traits"] == {"plan": "pro"}
    assert result["context"]["traits"] == {"email": "ada@example.com"}


def test_what_is_not_there_is_not_renamed():
    assert shaped(rename={"properties.nothing": "properties.something"}) == EVENT


def test_a_key_that_looks_like_a_pattern_is_renamed_alone():
    result = shaped(rename={"properties.a*b": "properties.ab"})

    assert result["properties"]["ab"] == 1
    assert result["properties"]["total"] == 12


@pytest.mark.parametrize(
    "rules", [{"deny": ["messageId"]}, {"deny": ["*"]}, {"rename": {"type": "kind"}}, {"deny": [""]}]
)
def test_what_every_event_needs_stays(rules: dict[str, Any]):
    with pytest.raises(ValidationError):
        FieldRules(**rules)
