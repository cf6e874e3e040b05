"""Rules that say which events a destination is told of."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import Match, Rule
from gateway.govern.routing import compiled, share_of

EVENT: Mapping[str, Any] = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m1",
    "userId": "u1",
    "properties": {"total": 12.5, "coupon": "WINTER", "first": True, "count": 1, "none": None},
    "context": {"location": {"country": "DE"}, "bot": True},
}


def kept_back(source: str = "web", event: Mapping[str, Any] = EVENT, **match: Any) -> bool:
    """Whether a rule that drops what fits `match` drops the event."""
    return compiled([Rule(name="rule", drop_if=Match(**match))])(dict(event), source) == "rule"


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ({"types": ["track", "page"]}, True),
        ({"types": ["page"]}, False),
        ({"events": ["Order *"]}, True),
        ({"events": ["order *"]}, False),
        ({"events": ["Order Complete?"]}, True),
        ({"events": ["Order"]}, False),
        ({"sources": ["web"]}, True),
        ({"sources": ["server"]}, False),
        ({"countries": ["AT", "DE"]}, True),
        ({"countries": ["US"]}, False),
        ({"bots": True}, True),
        ({"bots": False}, False),
        ({"types": ["track"], "events": ["Product *"]}, False),
        ({"share": 1.0}, True),
        ({"share": 0.0}, False),
    ],
)
def test_all_that_a_match_says_must_be_true(match: dict[str, Any], fits: bool):
    assert kept_back(**match) == fits


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"field": "properties.total", "above": 12}, True),
        ({"field": "properties.total", "above": 12.5}, False),
        ({"field": "properties.total", "above": 12, "below": 13}, True),
        ({"field": "properties.coupon", "above": 1}, False),
        ({"field": "properties.first", "above": 0}, False),
        ({"field": "properties.coupon", "equals": "WINTER"}, True),
        ({"field": "properties.first", "equals": True}, True),
        ({"field": "properties.count", "equals": True}, False),
        ({"field": "properties.count", "equals": 1.0}, True),
        ({"field": "properties.coupon", "one_of": ["SUMMER", "WINTER"]}, True),
        ({"field": "properties.coupon", "none_of": ["SUMMER"]}, True),
        ({"field": "properties.missing", "none_of": ["SUMMER"]}, True),
        ({"field": "properties.coupon", "matches": ["W*", "S*"]}, True),
        ({"field": "properties.total", "matches": ["1*"]}, False),
        ({"field": "properties.missing", "exists": False}, True),
        ({"field": "properties.none", "exists": True}, False),
        ({"field": "properties.total.deeper", "exists": True}, False),
        ({"field": "context.location.country", "equals": "DE"}, True),
    ],
)
def test_a_condition_asks_one_field(condition: dict[str, Any], fits: bool):
    assert kept_back(where=[condition]) == fits


def test_an_event_that_does_not_fit_is_what_drop_unless_keeps_back():
    rules = compiled([Rule(name="orders_only", drop_unless=Match(events=("Order *",)))])

    assert rules(dict(EVENT), "web") == ""
    assert rules({**EVENT, "event": "Product Viewed"}, "web") == "orders_only"


def test_the_first_rule_that_keeps_an_event_back_is_the_one_that_counts():
    rules = compiled([Rule(name=name, drop_if=Match(types=("track",))) for name in ("first", "second")])

    assert rules(dict(EVENT), "web") == "first"


def test_pages_and_screens_are_told_apart_by_their_names():
    assert kept_back(event={**EVENT, "type": "page", "event": None, "name": "Home"}, events=["Ho*"])


def test_a_share_of_the_people_is_always_the_same_people_with_all_of_their_events():
    people = [{**EVENT, "userId": f"user-{n}", "messageId": f"m{n}"} for n in range(10_000)]

    inside = {person["userId"] for person in people if kept_back(event=person, share=0.1)}

    assert 900 < len(inside) < 1100
    assert inside == {person["userId"] for person in people if share_of({**person, "messageId": "other"}) < 0.1}
    assert inside < {person["userId"] for person in people if kept_back(event=person, share=0.2)}


def test_a_visitor_without_a_user_has_a_place_too():
    visitor = {**EVENT, "userId": None, "anonymousId": "a1"}

    assert share_of(visitor) == share_of({**visitor, "messageId": "other"})
    assert share_of(visitor) != share_of({**visitor, "anonymousId": "a2"})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"name": "r"}, "either drop_if or drop_unless"),
        ({"name": "r", "drop_if": {"types": ["track"]}, "drop_unless": {"types": ["page"]}}, "either"),
        ({"name": "r", "drop_if": {}}, "means every event"),
        ({"name": "r", "drop_if": {"where": [{"field": "properties.total"}]}}, "asks nothing"),
        ({"name": "r", "drop_if": {"countries": ["Germany"]}}, "two capital letters"),
        ({"name": "r", "drop_if": {"share": 2}}, "less than or equal to 1"),
        ({"name": "Not A Name", "drop_if": {"types": ["track"]}}, "lower-case letters"),
    ],
)
def test_a_rule_that_could_not_be_meant_is_refused(rule: dict[str, Any], words: str):
    with pytest.raises(ValidationError, match=words):
        Rule(**rule)
