"""What an event of PostHog's means in the Segment spec, and in what clothes it may come."""

import json
from typing import Any

import orjson
import pytest

from gateway.collect.dialects.posthog import translate
from gateway.collect.dialects.translation import Translation
from gateway.collect.judge import Rules

RECEIVED_AT_MS = 1_795_574_592_000
RULES = Rules("", 100_000, 1_000_000, lambda: "generated")
RECEIVED_AT = "2026-11-25T02:43:12.000Z"


def translated(body: Any, query: dict[str, str] | None = None) -> Translation:
    wire = body if isinstance(body, bytes) else json.dumps(body).encode()
    result = translate(RECEIVED_AT_MS, wire, query or {})
    assert isinstance(result, Translation), result
    return result


def meant(event: str | None, distinct_id: Any = "d", /, **properties: Any) -> dict[str, Any]:
    """The event of the spec that an event with these properties is, read as the next reader does."""
    return stored({"event": event, "distinct_id": distinct_id, "properties": properties})


def stored(raw: dict[str, Any]) -> dict[str, Any]:
    (event,) = translated(raw).events
    return orjson.loads(orjson.dumps(event))


# Who.

BROWSER = {"$device_id": "device", "$lib": "web"}


@pytest.mark.parametrize(
    ("distinct_id", "properties", "ids"),
    [
        ("device", BROWSER, {"anonymousId": "device"}),
        ("device", {**BROWSER, "$is_identified": False}, {"anonymousId": "device"}),
        ("after-reset", {**BROWSER, "$is_identified": False}, {"anonymousId": "after-reset"}),
        ("user", {**BROWSER, "$is_identified": True}, {"userId": "user", "anonymousId": "device"}),
        ("user", {**BROWSER, "$user_id": "user"}, {"userId": "user", "anonymousId": "device"}),
        ("after-reset", BROWSER, {"anonymousId": "after-reset"}),
        ("user", {**BROWSER, "$lib": "posthog-python"}, {"userId": "user", "anonymousId": "device"}),
        ("device", {**BROWSER, "$is_identified": True}, {"anonymousId": "device"}),
        ("user", {}, {"userId": "user"}),
        ("user", {"$process_person_profile": True}, {"userId": "user"}),
        ("nobody", {"$process_person_profile": False}, {"anonymousId": "nobody"}),
        ("user", {"$device_id": None, "$process_person_profile": None}, {"userId": "user"}),
        (7, {}, {"userId": "7"}),
        (7, {"$device_id": "7"}, {"anonymousId": "7"}),
        (None, {}, {}),
        ("", {}, {}),
        (None, {"$device_id": "device"}, {"anonymousId": "device"}),
    ],
)
def test_a_distinct_id_is_the_visitors_or_the_users(distinct_id: Any, properties: dict[str, Any], ids: dict[str, str]):
    event = meant("E", distinct_id, **properties)

    assert {name: event[name] for name in ("userId", "anonymousId") if name in event} == ids


@pytest.mark.parametrize("place", ["distinct_id", "$distinct_id"])
def test_a_distinct_id_stands_beside_the_properties_or_among_them(place: str):
    assert stored({"event": "E", place: "d", "properties": {}})["userId"] == "d"
    assert stored({"event": "E", "properties": {"distinct_id": "d"}})["userId"] == "d"
    assert stored({"event": "E", "distinct_id": "d", "properties": {"distinct_id": "other"}})["userId"] == "d"


def test_visitors_without_cookies_are_not_taken_for_one_person():
    raw = {"uuid": "m", "event": "E", "properties": {"distinct_id": "$posthog_cookieless", "$device_id": None}}

    event = stored(raw)

    assert (event["anonymousId"], "userId" in event) == ("m", False)
    assert event["properties"]["distinct_id"] == "$posthog_cookieless"


# What.


@pytest.mark.parametrize(
    ("name", "properties", "expected"),
    [
        ("$pageview", {}, {"type": "page"}),
        ("$screen", {"$screen_name": "Basket"}, {"type": "screen", "name": "Basket"}),
        ("$pageleave", {}, {"type": "track", "event": "$pageleave"}),
        ("$autocapture", {}, {"type": "track", "event": "$autocapture"}),
        ("$feature_flag_called", {}, {"type": "track", "event": "$feature_flag_called"}),
        ("Order Completed", {"total": 5}, {"type": "track", "event": "Order Completed"}),
        (
            "$identify",
            {"$anon_distinct_id": "a", "$set": {"plan": "pro"}, "$set_once": {"plan": "free", "first": 1}},
            {"type": "identify", "userId": "d", "anonymousId": "a", "traits": {"plan": "pro", "first": 1}},
        ),
        ("$identify", {**BROWSER}, {"type": "identify", "userId": "d", "anonymousId": "device"}),
        ("$identify", {"$is_identified": False}, {"type": "identify", "userId": "d"}),
        ("$set", {"$set": {"plan": "pro"}}, {"type": "identify", "userId": "d", "traits": {"plan": "pro"}}),
        (
            "$set",
            {"$set": {"plan": "pro"}, "$is_identified": False},
            {"type": "identify", "anonymousId": "d", "traits": {"plan": "pro"}},
        ),
        ("$create_alias", {"alias": "old"}, {"type": "alias", "userId": "d", "previousId": "old"}),
        ("$merge_dangerously", {"alias": "old"}, {"type": "alias", "userId": "d", "previousId": "old"}),
        ("$create_alias", {"alias": "x", "$device_id": "d"}, {"type": "alias", "userId": "d", "previousId": "x"}),
        (
            "$groupidentify",
            {"$group_type": "company", "$group_key": "g", "$group_set": {"name": "Inc"}},
            {"type": "group", "userId": "d", "groupId": "g", "traits": {"name": "Inc"}},
        ),
    ],
)
def test_what_an_event_is(name: str, properties: dict[str, Any], expected: dict[str, Any]):
    event = meant(name, **properties)

    assert {field: event.get(field) for field in expected} == expected
    assert event["properties"] == properties if properties else "properties" not in event
    if "anonymousId" not in expected:
        assert "anonymousId" not in event


def test_the_type_of_a_group_is_kept():
    event = meant("$groupidentify", **{"$group_type": "company", "$group_key": "g"})

    assert event["context"]["groupType"] == "company"


def test_the_distinct_id_that_a_server_makes_up_for_a_group_is_no_user():
    event = meant("$groupidentify", "$company_g", **{"$group_type": "company", "$group_key": "g"})

    assert (event["anonymousId"], "userId" in event) == ("$company_g", False)


def test_a_page_has_what_the_spec_calls_it_and_what_posthog_calls_it():
    theirs = {
        "$current_url": "https://shop.example/mugs?utm_source=news&b=1#top",
        "$pathname": "/mugs",
        "$referrer": "$direct",
        "title": "Mugs",
    }

    event = meant("$pageview", **theirs)

    page = {"url": theirs["$current_url"], "path": "/mugs", "search": "?utm_source=news&b=1", "title": "Mugs"}
    assert event["context"]["page"] == page
    assert event["properties"] == {**page, **theirs}


def test_the_pages_own_words_win_over_ours():
    event = meant("$pageview", **{"$current_url": "https://shop.example/", "url": "mine"})

    assert event["properties"]["url"] == "mine"
    assert event["context"]["page"]["url"] == "https://shop.example/"


def test_a_title_is_the_pages_where_the_page_is_the_event():
    event = meant("Song Played", **{"$current_url": "https://shop.example/", "title": "Blue"})

    assert event["context"]["page"] == {"url": "https://shop.example/", "path": "/"}


@pytest.mark.parametrize(
    ("properties", "context"),
    [
        ({"$referrer": "https://google.example/"}, {"page": {"referrer": "https://google.example/"}}),
        ({"$browser_language": "en-US"}, {"locale": "en-US"}),
        ({"$locale": "de"}, {"locale": "de"}),
        ({"$screen_width": 1280, "$screen_height": 720}, {"screen": {"width": 1280, "height": 720}}),
        ({"$raw_user_agent": "Mozilla/5.0"}, {"userAgent": "Mozilla/5.0"}),
        ({"$timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"$session_id": "s"}, {"sessionId": "s"}),
        ({"$ip": "192.0.2.1"}, {"ip": "192.0.2.1"}),
        ({"$lib": "web", "$lib_version": "1.449.2"}, {"library": {"name": "web", "version": "1.449.2"}}),
        (
            {"utm_source": "news", "utm_campaign": "spring", "utm_term": None},
            {"campaign": {"source": "news", "name": "spring"}},
        ),
        ({"$os": "Linux", "$os_version": "12"}, {"os": {"name": "Linux", "version": "12"}}),
        ({"$os": "Linux", "$is_server": True}, {}),
        ({"$device_type": "Mobile", "$device_model": "X"}, {"device": {"type": "Mobile", "model": "X"}}),
        ({"$app_name": "Shop", "$app_build": "7"}, {"app": {"name": "Shop", "build": "7"}}),
        ({"$set": {"plan": "pro"}}, {"traits": {"plan": "pro"}}),
        ({"$current_url": "http://[", "$pathname": 5}, {"page": {"url": "http://[", "path": "5"}}),
        ({"$set": "no object", "$screen_width": None}, {}),
    ],
)
def test_the_context_is_lifted_from_the_properties_which_keep_it(properties: dict[str, Any], context: dict[str, Any]):
    event = meant("E", **properties)

    assert event.get("context", {}) == context
    assert event["properties"] == properties


def test_traits_beside_the_properties_are_put_among_them():
    raw = {"event": "E", "distinct_id": "d", "$set": {"a": 1}, "$set_once": {"b": 2}, "properties": {"$set": {"c": 3}}}

    event = stored(raw)

    assert event["properties"] == {"$set": {"c": 3, "a": 1}, "$set_once": {"b": 2}}
    assert event["context"]["traits"] == {"c": 3, "a": 1}


def test_engage_sets_properties_of_a_person_without_a_name():
    event = stored({"$token": "phc", "$distinct_id": "d", "$set": {"plan": "pro"}})

    assert (event["type"], event["userId"], event["traits"]) == ("identify", "d", {"plan": "pro"})


def test_the_token_is_left_out_and_a_token_of_the_sites_own_is_not():
    body = {"api_key": "phc", "batch": [{"event": "E", "properties": {"token": token}} for token in ("phc", "own")]}

    first, second = translated(body).events

    assert ("properties" in first, second["properties"]) == (False, {"token": "own"})


def test_numbers_are_kept_digit_by_digit():
    (event,) = translated(b'{"event":"E","distinct_id":"d","properties":{"n":12345678901234567890.10}}').events

    assert b'"n":12345678901234567890.10' in orjson.dumps(event)


# Which.


@pytest.mark.parametrize(
    ("raw", "message_id"),
    [
        ({"uuid": "u", "messageId": "m", "properties": {"$insert_id": "i"}}, "u"),
        ({"messageId": "m", "properties": {"$insert_id": "i"}}, "m"),
        ({"properties": {"$insert_id": "i"}}, "i"),
        ({"uuid": {}, "properties": {"$insert_id": 5}}, "5"),
        ({"properties": {}}, None),
    ],
)
def test_the_uuid_is_the_message_id(raw: dict[str, Any], message_id: str | None):
    assert stored({"event": "E", "distinct_id": "d", **raw}).get("messageId") == message_id


# When.


@pytest.mark.parametrize(
    ("raw", "times"),
    [
        ({"timestamp": "2026-11-25T02:43:08.987Z"}, {"timestamp": "2026-11-25T02:43:08.987Z"}),
        ({"timestamp": "2026-11-25T02:43:08Z", "offset": 5}, {"timestamp": "2026-11-25T02:43:08Z"}),
        (
            {"timestamp": "2020-01-01T00:00:00Z", "properties": {"$ignore_sent_at": True}},
            {"timestamp": "2020-01-01T00:00:00Z", "originalTimestamp": "2020-01-01T00:00:00Z"},
        ),
        (
            {"offset": 1483},
            {"timestamp": "2026-11-25T02:43:10.517Z", "originalTimestamp": "2026-11-25T02:43:10.517Z"},
        ),
        ({"offset": 0}, {"timestamp": RECEIVED_AT, "originalTimestamp": RECEIVED_AT}),
        ({"timestamp": "", "offset": 1000.7}, {"timestamp": "2026-11-25T02:43:11.000Z"}),
        ({"offset": 10**17}, {}),
        ({"offset": 10**40}, {}),
        ({"offset": "soon"}, {}),
        ({}, {}),
    ],
)
def test_when_an_event_was(raw: dict[str, Any], times: dict[str, str]):
    event = stored({"event": "E", "distinct_id": "d", **raw})

    assert event.get("timestamp") == times.get("timestamp")
    if "originalTimestamp" in times or not times:
        assert event.get("originalTimestamp") == times.get("originalTimestamp")


@pytest.mark.parametrize(
    ("frame", "query", "sent_at"),
    [
        ({"sent_at": "2026-11-25T02:41:00.888Z"}, {}, "2026-11-25T02:41:00.888Z"),
        ({}, {"_": "1795574588989"}, "1795574588989"),
        ({"sent_at": "2026-11-25T02:41:00Z"}, {"_": "1"}, "2026-11-25T02:41:00Z"),
        ({"sent_at": 1795574588989}, {}, "1795574588989"),
        ({"sent_at": {}}, {"_": "now"}, None),
        ({}, {}, None),
    ],
)
def test_when_it_was_sent(frame: dict[str, Any], query: dict[str, str], sent_at: str | None):
    assert translated({"batch": [], **frame}, query).sent_at == sent_at


# In what clothes.


def test_an_event_that_is_nested_too_deep_does_not_take_its_batch_with_it():
    deep = json.loads("[" * 100 + "]" * 100)
    body = {"batch": [{"event": "E", "distinct_id": "d", "properties": {"deep": deep}}, {"event": "F"}]}

    bad, good = translated(body).events

    assert set(bad) == {"type", "userId", "-"}
    assert good["event"] == "F"


def test_what_is_no_event_is_left_to_be_refused():
    assert translated([5, None, "x"]).events[1:] == [None, "x"]


def test_properties_that_are_no_object_are_left_to_be_set_aside():
    assert stored({"event": "E", "distinct_id": "d", "properties": [1]})["properties"] == [1]
