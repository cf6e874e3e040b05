"""What an owner's settings let through to one destination."""

from typing import Any

import pytest

from gateway.config import DestinationSettings
from gateway.deliver.progress import Filtered
from gateway.deliver.routing import Route, route
from gateway.model.envelope import Envelope

MARKETING_NO = {"consent": {"categoryPreferences": {"analytics": True, "marketing": False}}}
MARKETING_YES = {"consent": {"categoryPreferences": {"marketing": True}}}


def route_of(category: str = "", **settings: Any) -> Route:
    return route("ads", "Big Ads", DestinationSettings(type="ads", **settings), category, heeds_all=True)


def rule_that_keeps_back(found: Route, **event: Any) -> str:
    kept_back = found.keeps_back({"type": "track", "event": "x", "messageId": "m", "context": {}, **event}, "web")
    return kept_back.rule if kept_back else ""


def test_sources_that_do_not_feed_it_are_filtered_without_a_look_at_the_event():
    found = route_of(sources=("web",))

    assert found.keeps_envelope(Envelope("web", 0)) is None
    assert found.keeps_envelope(Envelope("server", 0)) == Filtered("sources")
    assert found.keeps_envelope(Envelope("", 0)) == Filtered("forgotten")


def test_what_is_the_owners_alone_goes_only_where_consent_was_said_to_play_no_part():
    refused = Envelope("web", 0, is_refused=True)

    assert route_of().keeps_envelope(refused) == Filtered("consent")
    assert route_of("marketing").keeps_envelope(refused) == Filtered("consent")
    assert route_of(consent=("marketing",)).keeps_envelope(refused) == Filtered("consent")
    assert route_of("marketing", consent=()).keeps_envelope(refused) is None
    assert route_of(consent=(), sources=("server",)).keeps_envelope(refused) == Filtered("sources")
    assert [route_of(**each).takes_all for each in ({}, {"consent": ()}, {"consent": (), "sources": ("web",)})] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["ads", "Big Ads", "big-ads", "Advertising"])
def test_a_sender_can_call_it_by_its_name_the_vendors_or_one_that_the_owner_gave(name: str):
    found = route_of(integration="Advertising")

    assert rule_that_keeps_back(found, integrations={name: False}) == "integrations"
    assert rule_that_keeps_back(found, integrations={"All": False, name: True}) == ""


@pytest.mark.parametrize(
    ("settings", "context", "rule"),
    [
        ({}, {}, ""),
        ({}, MARKETING_NO, "consent"),
        ({}, MARKETING_YES, ""),
        ({"consent": ()}, MARKETING_NO, ""),
        ({"consent": ("analytics",)}, MARKETING_NO, ""),
        ({"consent": ("analytics", "marketing")}, MARKETING_NO, "consent"),
        ({"consent_required": True}, {}, "consent"),
        ({"consent_required": True}, MARKETING_YES, ""),
        ({"consent_required": True}, {"consent": "garbage"}, "consent"),
        ({}, {"consent": {"categoryPreferences": ["marketing"]}}, ""),
        ({}, {"consent": {"categoryPreferences": {"Marketing": "no"}}}, "consent"),
        ({}, {"consent": {"categoryPreferences": {"marketing": 0}}}, "consent"),
        ({}, {"consent": {"categoryPreferences": {"marketing": "perhaps"}}}, ""),
        ({"consent_required": True}, {"consent": {"categoryPreferences": {"marketing": "granted"}}}, ""),
        ({"consent_required": True}, {"consent": {"categoryPreferences": {"marketing": "perhaps"}}}, "consent"),
    ],
)
def test_a_marketing_tool_is_not_told_of_those_who_refused_marketing(
    settings: dict[str, Any], context: dict[str, Any], rule: str
):
    assert rule_that_keeps_back(route_of("marketing", **settings), context=context) == rule


def test_a_rule_is_counted_under_its_own_name():
    rules = [{"name": "no_orders", "drop_if": {"events": ["Order *"]}}]

    assert rule_that_keeps_back(route_of(rules=rules), event="Order Completed") == "no_orders"
    assert rule_that_keeps_back(route_of(rules=rules), event="Signed Up") == ""


@pytest.mark.parametrize(
    ("settings", "category", "looks"),
    [
        ({}, "", False),
        ({"sources": ("web",)}, "", False),
        ({}, "marketing", True),
        ({"consent": ()}, "marketing", False),
        ({"fields": {"deny": ["context.ip"]}}, "", True),
        ({"rules": [{"name": "r", "drop_if": {"types": ["page"]}}]}, "", True),
    ],
)
def test_events_are_decoded_for_a_warehouse_only_where_something_in_them_decides(
    settings: dict[str, Any], category: str, looks: bool
):
    assert route_of(category, **settings).looks_inside == looks
