"""What an event of GA4 means in the Segment spec, in both of the forms in which it may come."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.collect.answers import ACCEPTED, COMMIT_SLOW, accepted_in_part, refused, retry_later
from gateway.collect.dialects.ga4 import DEBUG, GTAG, PROTOCOL
from gateway.collect.dialects.ga4_consent import in_protocol, in_query
from gateway.collect.dialects.translation import Translation, read_dialect
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


def test_an_event_of_gtag():
    (event,) = tagged(
        en="purchase",
        uid="u",
        sid="1700000000",
        _s="3",
        _p="77",
        _et="1200",
        dl="https://shop.example/mugs?utm_source=news",
        dr="https://google.example/",
        dt="Mugs",
        ul="en-us",
        sr="1280x720",
        cu="EUR",
        gcs="G101",
        **{"ep.coupon": "SPRING", "epn.value": "19.96", "epn.odd": "1e", "up.plan": "pro", "upn.age": "5"},
        pr1="idSKU-1~nmMug~pr9.98~qt2~brFake~caHome~c2Kitchen~vaBlue~k0size~v0L",
        pr2="nmA~~B~lp2",
    )

    page = {
        "url": "https://shop.example/mugs?utm_source=news",
        "path": "/mugs",
        "search": "?utm_source=news",
        "referrer": "https://google.example/",
        "title": "Mugs",
    }
    assert event.pop("messageId").startswith("ga4-")
    assert event == {
        "type": "track",
        "event": "purchase",
        "anonymousId": "c",
        "userId": "u",
        "properties": {
            "coupon": "SPRING",
            "value": 19.96,
            "odd": "1e",
            "currency": "EUR",
            "engagement_time_msec": 1200,
            "items": [
                {
                    "item_id": "SKU-1",
                    "item_name": "Mug",
                    "price": 9.98,
                    "quantity": 2,
                    "item_brand": "Fake",
                    "item_category": "Home",
                    "item_category2": "Kitchen",
                    "item_variant": "Blue",
                    "size": "L",
                },
                {"item_name": "A~B", "index": 2},
            ],
        },
        "context": {
            "library": {"name": "gtag"},
            "page": page,
            "campaign": {"source": "news"},
            "locale": "en-us",
            "screen": {"width": 1280, "height": 720},
            "sessionId": "1700000000",
            "traits": {"plan": "pro", "age": 5},
            "consent": {
                "categoryPreferences": {
                    "ad_storage": False,
                    "analytics_storage": True,
                    "analytics": True,
                    "marketing": False,
                }
            },
            "ga4": {"v": "2", "_s": "3", "_p": "77", "gcs": "G101"},
        },
    }


def test_a_page_view_of_gtag_is_a_page():
    (event,) = tagged(en="page_view", dl="https://shop.example/", **{"ep.author": "A"})

    assert (event["type"], "event" in event) == ("page", False)
    assert event["properties"] == {"url": "https://shop.example/", "path": "/", "author": "A"}


def test_each_line_of_a_body_is_an_event_and_the_query_is_shared():
    first, second = tagged(
        "en=page_view&dt=Mine\r\n\r\nen=scroll&epn.percent_scrolled=90", dl="https://x.example/", dt="T"
    )

    assert (first["type"], first["context"]["page"]["title"]) == ("page", "Mine")
    assert (second["event"], second["properties"]) == ("scroll", {"percent_scrolled": 90})
    assert second["context"]["page"] == {"url": "https://x.example/", "path": "/", "title": "T"}


def test_the_key_of_gtag_is_the_secret_or_else_the_stream_and_is_left_out():
    with_secret = GTAG.translate(b"", {"en": "e", "tid": "G-1", "api_secret": "s"})
    without = GTAG.translate(b"", {"en": "e", "tid": "G-1"})

    assert (with_secret.write_key, without.write_key) == ("s", "G-1")
    assert with_secret.events == without.events
    assert "ga4" not in without.events[0]["context"]


@pytest.mark.parametrize("body", [b"en=e\n" * 101, b"a=1&" * 300])
def test_too_much_at_once_is_refused(body: bytes):
    assert GTAG.translate(body, {"tid": "G-1"}).code == "invalid_events"


# Consent.


@pytest.mark.parametrize(
    ("gcs", "gcd", "known"),
    [
        ("", "", {}),
        ("G111", "", {"ad_storage": True, "analytics_storage": True}),
        ("G100", "", {"ad_storage": False, "analytics_storage": False}),
        ("G1-1", "", {"analytics_storage": True}),
        ("G1", "nonsense", {}),
        ("", "13l3l3l3l1", {}),
        ("G111", "13l3l3l3l1", {"ad_storage": True, "analytics_storage": True}),
        (
            "G111",
            "11t1r1n1v5",
            {"ad_storage": True, "analytics_storage": True, "ad_user_data": True, "ad_personalization": True},
        ),
        (
            "G100",
            "13p3q3m2u1l1",
            {"ad_storage": False, "analytics_storage": False, "ad_user_data": False, "ad_personalization": False},
        ),
        ("G101", "13p3r3l3l5", {"ad_storage": False, "analytics_storage": True}),
    ],
)
def test_gtags_consent_is_spelled_out(gcs: str, gcd: str, known: dict[str, bool]):
    assert in_query(gcs, gcd) == known


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


@pytest.mark.parametrize("other", [{"_s": "2"}, {"_p": "8"}, {"sid": "9"}, {"ep.x": "1"}, {"cid": "d"}])
def test_another_event_of_gtag_has_another_id(other: dict[str, str]):
    ((one,), (two,)) = tagged(en="e", _s="1", _p="7"), tagged(**{"en": "e", "_s": "1", "_p": "7", **other})

    assert one["messageId"] != two["messageId"]


def test_two_clicks_that_nothing_tells_apart_are_not_one():
    assert protocol_ids(events=[{"name": "click"}]) == [None]
    assert "messageId" not in tagged(en="click")[0]


# What it hears.


@pytest.mark.parametrize("dialect", [PROTOCOL, GTAG])
def test_success_is_googles_204(dialect: Any):
    assert (dialect.answer(ACCEPTED).status, dialect.answer(ACCEPTED).body) == (204, b"")


@pytest.mark.parametrize(
    "ours", [COMMIT_SLOW, refused(Refusal("x", "X.")), accepted_in_part([(0, Refusal("x", "X."))], 1)]
)
def test_all_else_is_said_as_everywhere(ours: Any):
    assert PROTOCOL.answer(ours) is ours


def test_the_debug_server_says_what_is_wrong():
    assert json.loads(DEBUG.answer(ACCEPTED).body) == {"validationMessages": []}
    said = DEBUG.answer(refused(Refusal("missing_user", "Give it one.")))
    message = {"fieldPath": "", "description": "Give it one.", "validationCode": "missing_user"}
    assert (said.status, json.loads(said.body)) == (200, {"validationMessages": [message]})
    busy = retry_later("rate_limited", "Wait.", 1, status=429)
    assert DEBUG.answer(busy) is busy


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"client_id": "c", "events": [{"name": "e"}, {"name": "page_view"}]}, None),
        ({"client_id": "c", "events": [{"name": "e"}, {"name": ""}]}, "missing_event_name"),
        ({"events": [{"name": "e"}]}, "missing_user"),
        ({"client_id": "c", "events": [5]}, "not_an_object"),
        ({"client_id": "c"}, "invalid_events"),
    ],
)
def test_the_debug_server_looks_at_each_event_and_keeps_none(payload: dict[str, Any], code: str | None):
    result = DEBUG.translate(json.dumps(payload).encode(), KEYS)

    assert result == Translation("secret", []) if code is None else result.code == code


# Whatever comes.

TEXT = st.text(st.characters(exclude_categories=()))
NAMES = st.sampled_from(["name", "params", "events", "client_id", "user_properties", "consent", "device", "value"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=5)
)
EVENTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["page_view", "screen_view", "campaign_details"]) | VALUES},
    optional={
        "params": st.dictionaries(st.sampled_from(["page_location", "session_id", "source"]) | TEXT, VALUES) | VALUES,
        "timestamp_micros": st.integers() | VALUES,
    },
)
PAYLOADS = st.fixed_dictionaries(
    {"events": st.lists(EVENTS | VALUES, max_size=3)},
    optional={
        "client_id": st.just("c") | VALUES,
        "user_properties": VALUES,
        "device": VALUES,
        "consent": VALUES,
        "timestamp_micros": VALUES,
    },
)
FIELDS = st.sampled_from(
    ["en", "cid", "uid", "dl", "sr", "_s", "ep.x", "epn.x", "up.x", "pr1", "gcs", "gcd", "cu", "_et"]
)


def check(translate: Callable[..., Any], body: bytes, query: dict[str, str]) -> None:
    result = read_dialect(translate, query, body, "", 1_000_000, RULES)
    if isinstance(result, Refusal):
        assert result.status == 400
    else:
        assert [orjson.loads(raw)["messageId"] for raw in result.raws] == result.message_ids


@given(st.binary(), st.dictionaries(FIELDS | TEXT, TEXT))
@example(b"", {"en": "\ud800", "cid": "c", "_s": "\ud800"})
@example(b"\xff=\xff\n\x00", {"dl": "http://[", "pr1": "~~~", "epn.x": "\u0661"})
def test_any_bytes_have_an_answer(body: bytes, query: dict[str, str]):
    for dialect in (PROTOCOL, DEBUG, GTAG):
        check(dialect.translate, body, query)


@given(PAYLOADS | VALUES)
def test_any_json_has_an_answer_and_comes_out_fit_to_be_written(payload: Any):
    for dialect in (PROTOCOL, DEBUG):
        check(dialect.translate, json.dumps(payload).encode(), KEYS)


@given(st.lists(st.dictionaries(FIELDS, st.text(max_size=20)), max_size=3))
def test_any_lines_have_an_answer(lines: list[dict[str, str]]):
    check(GTAG.translate, "\n".join(map(urlencode, lines)).encode(), {"tid": "G-1", "cid": "c"})
