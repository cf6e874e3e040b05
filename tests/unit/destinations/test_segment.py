"""Segment: events go on as they came, with our name on them, and never in circles."""

import base64
import json
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.segment import SEGMENT, SegmentSettings
from gateway.model.outcome import Halt, Reject, Retry
from tests.vendors.events import AT_MS, event, order, seen, tour


def segment(**said: Any) -> SegmentSettings:
    return SegmentSettings(**{"write_key": "s3cret", **said})


def told(fields: dict[str, Any], **said: Any) -> list[Message]:
    return list(SEGMENT.map(seen(fields), segment(**said)))


def test_every_call_is_told():
    assert all(len(told(each)) == 1 for each in tour())


def test_an_event_goes_on_as_it_came_but_for_what_segment_says_itself():
    given = event(1, event="Signed Up", properties={"plan": "pro"}, integrations={"Mixpanel": False}, sentAt="x")

    (message,) = told(given)

    canonical = seen(given)
    assert message.body == {
        **{key: value for key, value in canonical.items() if key not in {"originalTimestamp", "receivedAt", "sentAt"}},
        "context": {**canonical["context"], "forwardedBy": ["headwater"]},
    }
    assert message.repairs == ()


@pytest.mark.parametrize("said", ["headwater", ["headwater"], ["edge", "headwater"]])
def test_an_event_that_bears_our_name_is_not_sent_again(said: object):
    assert told(event(1, event="A", context={"forwardedBy": said})) == []


@pytest.mark.parametrize(
    ("said", "names"), [("edge", ["edge", "shop"]), (["edge"], ["edge", "shop"]), (7, ["shop"]), ([None, 7], ["shop"])]
)
def test_gateways_may_stand_in_a_row(said: object, names: list[str]):
    (message,) = told(event(1, event="A", context={"forwardedBy": said}), forwarded_by="shop")

    assert message.body["context"]["forwardedBy"] == names


@pytest.mark.parametrize("nobody", [None, "", " "])
def test_nobodys_events_are_not_told_for_segment_would_drop_them_in_silence(nobody: str | None):
    assert told(event(1, event="A", userId=nobody, anonymousId=nobody)) == []
    assert len(told(event(1, event="A", userId=nobody, anonymousId="a"))) == 1


@pytest.mark.parametrize(("length", "is_kept"), [(99, True), (100, False), (300, False)])
def test_an_id_that_is_too_long_becomes_its_hash_which_is_always_the_same(length: int, *, is_kept: bool):
    given = event(1, event="A", messageId="x" * length)

    (first,), (second,) = told(given), told(given)

    assert (first.body["messageId"] == given["messageId"]) == is_kept
    assert len(first.body["messageId"]) < 100
    assert first == second
    assert first.repairs == (() if is_kept else ("message_id_hashed",))


def test_an_event_that_is_too_large_is_refused_in_words():
    with pytest.raises(ValueError, match=r"^\d+ bytes, accepted are 32768$"):
        told(event(1, event="A", properties={"text": "x" * 33_000}))


def test_the_limits_of_a_batch_are_segments_with_what_stands_around_the_events():
    settings = segment(batch={"max_events": 9999, "max_bytes": "9MB"})

    assert (SEGMENT.batch_events(settings), SEGMENT.batch_bytes(settings)) == (2500, 499_936)
    empty = SEGMENT.request([Payload("m", b"")], settings, Sending(AT_MS))
    assert isinstance(empty, Request)
    assert len(empty.body) <= 64


def test_a_batch_says_when_it_was_sent_and_whose_it_is():
    payloads = [Payload(f"m{n}", orjson.dumps({"n": n})) for n in range(2)]

    request = SEGMENT.request(payloads, segment(base_url="https://events.eu1.segmentapis.com/"), Sending(AT_MS))

    assert isinstance(request, Request)
    assert (request.method, request.url) == ("POST", "https://events.eu1.segmentapis.com/v1/batch")
    assert json.loads(request.body) == {"batch": [{"n": 0}, {"n": 1}], "sentAt": "2026-11-25T12:00:00.000Z"}
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"s3cret:"


def test_answers_mean_what_they_mean_everywhere():
    assert SEGMENT.classify(Response(400, {}, b"too large"), []) == Reject("HTTP 400: too large")
    assert SEGMENT.classify(Response(429, {"retry-after": "3"}), []) == Retry("HTTP 429", 3.0)
    assert SEGMENT.classify(Response(401), []) == Halt("HTTP 401")


def test_the_event_itself_is_not_changed():
    shown = seen(order(1))

    SEGMENT.map(shown, segment())

    assert shown == seen(order(1))


def test_a_write_key_is_required_and_not_shown():
    with pytest.raises(ValidationError):
        SegmentSettings()
    assert "s3cret" not in repr(segment())
