"""The `integrations` object of an event."""

from typing import Any

import pytest

from gateway.govern.integrations import options, plain, wants

NAMES = {"ga4", "googleanalytics4"}


@pytest.mark.parametrize(
    ("integrations", "wanted"),
    [
        (None, True),
        ({}, True),
        ("no object", True),
        ({"All": True}, True),
        ({"All": False}, False),
        ({"all": False}, False),
        ({"All": False, "Google Analytics 4": True}, True),
        ({"All": False, "google-analytics-4": {"clientId": "1.2"}}, True),
        ({"All": False, "Mixpanel": True}, False),
        ({"Google Analytics 4": False}, False),
        ({"All": True, "ga4": False}, False),
        ({"Mixpanel": False}, True),
        ({"ga4": None}, True),
    ],
)
def test_the_sender_says_which_tools_are_told(integrations: Any, wanted: bool):
    assert wants({"integrations": integrations}, NAMES) == wanted


def test_all_does_not_speak_for_those_that_do_not_heed_it():
    assert wants({"integrations": {"All": False}}, NAMES, heeds_all=False)


def test_options_are_for_the_tool_that_is_named():
    event = {"integrations": {"google_analytics-4": {"clientId": "1.2"}, "Mixpanel": True}}

    assert options(event, "Google Analytics 4") == {"clientId": "1.2"}
    assert options(event, "Mixpanel") == {}
    assert options({}, "Mixpanel") == {}


def test_names_are_compared_without_case_and_punctuation():
    assert plain("Google Analytics 4") == plain("google-analytics_4") == "googleanalytics4"
