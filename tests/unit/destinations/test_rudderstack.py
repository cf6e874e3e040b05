"""RudderStack: what it asks for beyond what Segment does, and what its answers mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message
from gateway.destinations.http_messages import Response
from gateway.destinations.rudderstack import RUDDERSTACK, RudderstackSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import event, seen, tour

URL = "https://shop.dataplane.rudderstack.com"


def rudderstack(**said: Any) -> RudderstackSettings:
    return RudderstackSettings(**{"base_url": URL, "write_key": "s3cret", **said})


def told(fields: dict[str, Any]) -> list[Message]:
    return list(RUDDERSTACK.map(seen(fields), rudderstack()))


def test_every_call_is_told():
    assert all(len(told(each)) == 1 for each in tour())


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ({"channel": "sources"}, "sources"),
        ({"channel": 7}, "server"),
        ({"context": {"page": {"path": "/"}, "device": {"id": "d"}}}, "web"),
        ({"context": {"device": {"id": "d"}}}, "mobile"),
        ({"context": {"page": "none"}}, "server"),
        ({}, "server"),
    ],
)
def test_the_channel_is_the_events_own_or_seen_from_its_context(said: dict[str, Any], channel: str):
    (message,) = told({**event(1, event="A", context={}), **said})

    assert message.body["channel"] == channel


def test_the_clients_times_go_along_beside_the_corrected_one_which_is_kept():
    (message,) = told(event(1, event="A", timestamp="2026-11-25T10:59:00.000Z", sentAt="2026-11-25T11:00:00.000Z"))

    assert message.body["timestamp"] == "2026-11-25T11:59:00.000Z"
    assert message.body["originalTimestamp"] == "2026-11-25T10:59:00.000Z"
    assert message.body["sentAt"] == "2026-11-25T11:00:00.000Z"
    assert message.body["receivedAt"] == "2026-11-25T12:00:00.000Z"


def test_an_event_that_bears_our_name_is_not_sent_again():
    assert told(event(1, event="A", context={"forwardedBy": ["headwater"]})) == []


def test_the_limit_of_a_batch_is_rudderstacks():
    settings = rudderstack(batch={"max_events": 9999, "max_bytes": "9MB"})

    assert (RUDDERSTACK.batch_events(settings), RUDDERSTACK.batch_bytes(settings)) == (5000, 3_999_936)


@pytest.mark.parametrize(
    ("status", "words", "meaning"),
    [
        (200, "OK", Delivered()),
        (302, "", Halt("HTTP 302")),
        (400, "Invalid JSON", Reject("HTTP 400: Invalid JSON")),
        (401, "Invalid Write Key", Halt("HTTP 401")),
        (404, "Source is disabled", Halt("HTTP 404: Source is disabled")),
        (413, "Request size exceeds max limit", Reject("HTTP 413: Request size exceeds max limit")),
        (429, "Max Requests Limit reached", Retry("HTTP 429")),
        (500, "Failed to read body from request", Retry("HTTP 500")),
    ],
)
def test_the_gateways_words_mean_what_rudder_server_means_by_them(status: int, words: str, meaning: Outcome):
    assert RUDDERSTACK.classify(Response(status, {}, words.encode()), []) == meaning


def test_its_health_can_be_asked_without_telling_anything():
    assert RUDDERSTACK.probe is not None
    request = RUDDERSTACK.probe(rudderstack())

    assert (request.method, request.url, request.body) == ("GET", f"{URL}/health", b"")


def test_the_data_plane_has_to_be_named():
    with pytest.raises(ValidationError):
        RudderstackSettings(write_key="s3cret")
