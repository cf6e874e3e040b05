"""What an event of GA4 means in the Segment spec, in both of the forms in which it may come."""

import json
from typing import Any

import orjson
import pytest

from gateway.collect.dialects.ga4 import GTAG, PROTOCOL
from gateway.collect.dialects.ga4_consent import in_protocol
from gateway.collect.dialects.translation import Translation
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal

RULES = Rules("", 100_000, 1_000_000, lambda: "generated")
KEYS = {"measurement_id": "G-1", "api_secret": "secret"}
MICROS = 1_795_574_592_000_123
MOMENT = "2026-11-25T02:43:12.000Z"


def translated(payload: Any, query: dict[str, str] | None = None) -> Translation:
    result = PROTOCOL.translate(json.dumps(payload).encode(), KEYS if query is None else query)
    assert isinstance(result, Translation), result
    return result


def stored(payload: dict[str, Any], query: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The events, read as the next reader does."""
    return orjson.loads(orjson.dumps(translated(payload, query).events))


def sent(name: str, params: Any = None, /, **payload: Any) -> dict[str, Any]:
    """The one event of a request of the Measurement Protocol."""
    (event,) = stored({"client_id": "c", "events": [{"name": name, "params": params}], **payload})
    return event


def tagged(body: str = "", /, **query: str) -> list[dict[str, Any]]:
    """The events of a request of gtag's."""
    result = GTAG.translate(body.encode(), {"v": "2", "tid": "G-1", "cid": "c", **query})
    assert isinstance(result, Translation), result
    return orjson.loads(orjson.dumps(result.events))


# The Measurement Protocol.


def test_an_event_is_a_track_under_its_own_name_with_its_own_parameters():
    params = {"currency": "EUR", "value": 9.98, "items": [{"item_id": "SKU", "price": 9.98}]}

    event = sent("purchase", params, user_id="u", timestamp_micros=MICROS)

    assert event.pop("messageId").startswith("ga4-")
    assert event == {
        "type": "track",
        "event": "purchase",
        "anonymousId": "c",
        "userId": "u",
        "timestamp": MOMENT,
        "properties": params,
        "context": {"library": {"name": "ga4-measurement-protocol"}},
    }


def test_a_page_view_is_a_page():
    params = {"page_location": "https://shop.example/mugs?utm_source=news&utm_campaign=spring", "page_title": "Mugs"}

    event = sent("page_view", {**params, "page_referrer": "https://google.example/"})

    page = {
        "url": params["page_location"],
        "path": "/mugs",
        "search": "?utm_source=news&utm_campaign=spring",
        "referrer": "https://google.example/",
        "title": "Mugs",
    }
    assert (event["type"], "event" in event) == ("page", False)
    assert event["properties"] == {**page, **params, "page_referrer": "https://google.example/"}
    assert event["context"]["page"] == page
    assert event["context"]["campaign"] == {"source": "news", "name": "spring"}


@pytest.mark.parametrize("key", ["screen_name", "firebase_screen"])
def test_a_screen_view_is_a_screen(key: str):
    event = sent("screen_view", {key: "Basket"})

    assert (event["type"], event["name"], event["properties"]) == ("screen", "Basket", {key: "Basket"})


@pytest.mark.parametrize("name", ["page_view", "screen_view"])
def test_parameters_may_be_missing(name: str):
    assert sent(name)["type"] == name.removesuffix("_view")


@pytest.mark.parametrize(
    ("payload", "ids"),
    [
        ({"client_id": "c"}, {"anonymousId": "c"}),
        ({"app_instance_id": "a"}, {"anonymousId": "a"}),
        ({"client_id": "c", "app_instance_id": "a", "user_id": "u"}, {"anonymousId": "c", "userId": "u"}),
        ({"client_id": 12.5}, {"anonymousId": 12.5}),
        ({"user_id": "u", "client_id": ""}, {"userId": "u"}),
    ],
)
def test_who(payload: dict[str, Any], ids: dict[str, Any]):
    (event,) = stored({"events": [{"name": "e"}], **payload})

    assert {name: event[name] for name in ("userId", "anonymousId") if name in event} == ids


@pytest.mark.parametrize(
    ("payload", "event", "moment"),
    [
        ({"timestamp_micros": MICROS}, {}, MOMENT),
        ({"timestamp_micros": str(MICROS)}, {}, MOMENT),
        ({"timestamp_micros": 1}, {"timestamp_micros": MICROS}, MOMENT),
        ({"timestamp_micros": 10**18 - 1}, {}, None),
        ({"timestamp_micros": 10**30}, {}, None),
        ({"timestamp_micros": "now"}, {}, None),
        ({}, {}, None),
    ],
)
def test_when(payload: dict[str, Any], event: dict[str, Any], moment: str | None):
    (result,) = stored({"client_id": "c", "events": [{"name": "e", **event}], **payload})

    assert result.get("timestamp") == moment


@pytest.mark.parametrize(
    ("payload", "context"),
    [
        (
            {"user_properties": {"plan": {"value": "pro", "timestamp_micros": 1}, "age": {"value": 5}, "raw": 1}},
            {"traits": {"plan": "pro", "age": 5, "raw": 1}},
        ),
        (
            {"consent": {"ad_user_data": "GRANTED", "ad_personalization": "DENIED"}},
            {"consent": {"categoryPreferences": {"ad_user_data": True, "ad_personalization": False}}},
        ),
        ({"ip_override": "192.0.2.1"}, {"ip": "192.0.2.1"}),
        ({"user_agent": "Mozilla/5.0"}, {"userAgent": "Mozilla/5.0"}),
        (
            {
                "device": {
                    "category": "mobile",
                    "brand": "B",
                    "model": "M",
                    "language": "de",
                    "screen_resolution": "3x2",
                }
            },
            {
                "device": {"type": "mobile", "manufacturer": "B", "model": "M"},
                "locale": "de",
                "screen": {"width": 3, "height": 2},
            },
        ),
        (
            {"device": {"operating_system": "Android", "operating_system_version": "13"}},
            {"os": {"name": "Android", "version": "13"}},
        ),
        (
            {"user_location": {"city": "Berlin", "region_id": "DE-BE", "country_id": "DE"}},
            {"location": {"city": "Berlin", "region": "DE-BE", "country": "DE"}},
        ),
    ],
)
def test_what_the_payload_says_for_all_of_its_events_is_in_each_context(
    payload: dict[str, Any], context: dict[str, Any]
):
    event = sent("e", **payload)

    assert {name: event["context"].get(name) for name in context} == context


@pytest.mark.parametrize(
    ("name", "params", "context"),
    [
        ("e", {"session_id": "123", "language": "en"}, {"sessionId": "123", "locale": "en"}),
        (
            "e",
            {"ga_session_id": 123, "screen_resolution": "9x8"},
            {"sessionId": "123", "screen": {"width": 9, "height": 8}},
        ),
        ("e", {"source": "news"}, {"campaign": None}),
        (
            "campaign_details",
            {"source": "news", "campaign": "spring"},
            {"campaign": {"source": "news", "name": "spring"}},
        ),
    ],
)
def test_what_parameters_say_of_where_it_happened(name: str, params: dict[str, Any], context: dict[str, Any]):
    event = sent(name, params)

    assert {field: event["context"].get(field) for field in context} == context
    assert event["properties"] == params


def test_what_has_no_place_is_kept():
    event = sent("e", non_personalized_ads=True, user_data={"sha256_email_address": "x"}, validation_behavior="RELAXED")

    assert event["context"]["ga4"] == {
        "non_personalized_ads": True,
        "user_data": {"sha256_email_address": "x"},
        "validation_behavior": "RELAXED",
    }


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"api_secret": "s", "measurement_id": "G-1"}, "s"),
        ({"api_secret": "", "measurement_id": "G-1"}, "G-1"),
        ({"firebase_app_id": "1:2:web:3"}, "1:2:web:3"),
        ({}, ""),
    ],
)
def test_the_secret_is_the_write_key_or_else_the_stream(query: dict[str, str], key: str):
    assert translated({"events": []}, query).write_key == key


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_events"),
        (b"5", "invalid_events"),
        (b'{"client_id":"c"}', "invalid_events"),
        (b'{"events":{}}', "invalid_events"),
        (b'{"events":[%b]}' % b",".join([b"{}"] * 101), "invalid_events"),
        (b'{"user_properties":{"x":"%b"},"events":[]}' % (b"y" * 40_000), "shared_too_large"),
        (b'{"user_properties":%b1%b,"events":[]}' % (b'{"a":' * 80, b"}" * 80), "too_deep"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(body: bytes, code: str):
    refusal = PROTOCOL.translate(body, KEYS)

    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_an_event_that_is_nested_too_deep_does_not_take_its_batch_with_it():
    deep = json.loads("[" * 100 + "]" * 100)

    bad, good = translated({"client_id": "c", "events": [{"name": "e", "params": {"x": deep}}, {"name": "f"}]}).events

    assert set(bad) == {"type", "userId", "-"}
    assert good["event"] == "f"


def test_what_is_no_object_is_left_to_be_refused_or_set_aside():
    first, second = translated({"client_id": "c", "events": [5, {"name": "e", "params": [1]}]}).events

    assert not isinstance(first, dict)
    assert [str(orjson.dumps(each)) for each in second["properties"]] == ["b'1'"]


# gtag's own.


@pytest.mark.parametrize(
    ("consent", "known"),
    [
        ({"ad_user_data": "GRANTED"}, {"ad_user_data": True}),
        ({"ad_personalization": "denied", "ad_user_data": ""}, {"ad_personalization": False}),
        ({"else": "GRANTED", "ad_user_data": {}}, {}),
        ("GRANTED", {}),
        (None, {}),
    ],
)
def test_the_protocols_consent_is_spelled_out(consent: Any, known: dict[str, bool]):
    assert in_protocol(consent) == known


# Which.


def protocol_ids(**payload: Any) -> list[str | None]:
    return [event.get("messageId") for event in stored({"client_id": "c", **payload})]


def test_a_request_sent_again_has_the_same_ids():
    payload = {"timestamp_micros": MICROS, "events": [{"name": "e", "params": {"n": 1}}] * 2}

    assert protocol_ids(**payload) == protocol_ids(**payload)
    assert len(set(protocol_ids(**payload))) == 2
    assert tagged(en="e", _s="1") == tagged(en="e", _s="1")


@pytest.mark.parametrize(
    "other",
    [
        {"timestamp_micros": MICROS + 1},
        {"user_id": "u"},
        {"client_id": "d"},
        {"events": [{"name": "f"}]},
        {"events": [{"name": "e", "params": {"session_id": "2"}}]},
        {"events": [{"name": "e", "timestamp_micros": MICROS + 1}]},
    ],
)
def test_another_event_has_another_id(other: dict[str, Any]):
    payload = {"timestamp_micros": MICROS, "events": [{"name": "e"}]}

    assert protocol_ids(**payload) != protocol_ids(**{**payload, **other})


def test_two_clicks_that_nothing_tells_apart_are_not_one():
    assert protocol_ids(events=[{"name": "click"}]) == [None]
    assert "messageId" not in tagged(en="click")[0]


# What it hears.
