"""What is done to events before they are kept."""

import copy
import hashlib
import hmac
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.collect.lenient import clean, load
from gateway.config import PrivacySettings
from gateway.govern.privacy import MOST_GROWTH, Privacy, compiled, strictest

EMAIL = "Ada@Shop.Example"
SHA = hashlib.sha256(b"ada@shop.example").hexdigest()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([EMAIL, f"?e={EMAIL.replace('@', '%40')}&token=x", "203.0.113.9", "2001:db8::1", SHA]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["ip", "url", "email", "page", EMAIL]) | st.text(max_size=4), inner, max_size=3
        )
    ),
    max_leaves=12,
)
EVENTS = st.fixed_dictionaries(
    {"type": st.just("track"), "messageId": st.just("m1"), "event": st.sampled_from(["E", EMAIL])},
    optional={
        "userId": st.sampled_from(["u1", EMAIL, " "]),
        "context": JSON,
        "properties": JSON,
        "traits": JSON,
        EMAIL: JSON,
    },
)
SETTINGS = st.fixed_dictionaries(
    {
        "ip": st.sampled_from(["keep", "truncate", "drop"]),
        "remove": st.sampled_from([(), ("traits.email",), ("properties.*", "context.ip")]),
        "hash": st.sampled_from([(), ("traits",), ("userId", "context.page", "properties.*.*")]),
        "emails": st.sampled_from(["keep", "hash", "remove"]),
        "url_parameters": st.sampled_from([(), ("token",)]),
    },
    optional={"hash_key": st.just("secret")},
).map(PrivacySettings.model_validate)


def kept(event: dict[str, Any], **settings: Any) -> dict[str, Any]:
    before = copy.deepcopy(event)
    result = Privacy(PrivacySettings(**settings)).applied(event, len(json.dumps(event)))
    assert before == event, "what is handed in is never changed"
    return dict(result)


def test_without_rules_there_is_nothing_to_ask():
    assert compiled(PrivacySettings()) is compiled(PrivacySettings(refused="keep", hash_key="k")) is None


@pytest.mark.parametrize(
    ("address", "truncated"),
    [
        ("203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3::9", "2001:db8:1::"),
        ("::ffff:203.0.113.9", "203.0.113.0"),
        ("fe80::1%eth0", "fe80::"),
        (" 203.0.113.9 ", "203.0.113.0"),
        ("203.0.113.9:4711", ""),
        ("ada", ""),
        ("", ""),
    ],
)
def test_of_an_address_the_network_stays_and_what_is_none_goes(address: str, truncated: str):
    assert Privacy(PrivacySettings(ip="truncate")).address(address) == truncated
    assert Privacy(PrivacySettings(ip="drop")).address(address) == ""
    assert Privacy(PrivacySettings(emails="hash")).address(address) == address
    event = {"context": {"ip": address, "os": {}}}
    assert kept(event, ip="truncate") == {"context": {"os": {}} | ({"ip": truncated} if truncated else {})}
    assert kept(event, ip="drop") == {"context": {"os": {}}}


def test_fields_are_removed_and_hashed_at_their_paths():
    event = {
        "userId": "u1",
        "traits": {"email": f" {EMAIL}", "phone": 4711, "vip": True, "tags": ["A", ""], "age": None},
        "properties": {"card": "4111", "total": 12.5},
    }

    assert kept(event, remove=["properties.card"], hash=["traits", "userId"]) == {
        "userId": hashlib.sha256(b"u1").hexdigest(),
        "traits": {
            "email": SHA,
            "phone": hashlib.sha256(b"4711").hexdigest(),
            "vip": True,
            "tags": [hashlib.sha256(b"a").hexdigest(), ""],
            "age": None,
        },
        "properties": {"total": 12.5},
    }


def test_a_key_makes_hashes_that_nobody_else_can_make():
    expected = hmac.new(b"secret", b"ada@shop.example", hashlib.sha256).hexdigest()

    assert kept({"traits": {"email": EMAIL}}, hash=["traits.email"], hash_key="secret")["traits"]["email"] == expected
    assert kept({"text": EMAIL}, emails="hash", hash_key="secret")["text"] == expected


@pytest.mark.parametrize("value", [SHA, SHA.upper()])
def test_a_hash_is_not_hashed_again(value: str):
    assert kept({"traits": {"email": value}}, hash=["traits.email"])["traits"]["email"] == value


def test_addresses_are_replaced_in_every_text_and_the_rest_of_it_stays():
    encoded = EMAIL.replace("@", "%40")
    event = {
        "type": "track",
        "event": "Signed Up",
        "userId": EMAIL,
        "context": {"page": {"url": f"https://shop.example/?email={encoded}&b=1"}, "list": [[f"to {EMAIL}!"]]},
        "properties": {EMAIL: 1, "price": 1.5},
    }

    assert kept(event, emails="hash") == {
        "type": "track",
        "event": "Signed Up",
        "userId": SHA,
        "context": {"page": {"url": f"https://shop.example/?email={SHA}&b=1"}, "list": [[f"to {SHA}!"]]},
        "properties": {SHA: 1, "price": 1.5},
    }
    assert kept(event, emails="remove") == {
        "type": "track",
        "event": "Signed Up",
        "userId": SHA,
        "context": {"page": {"url": "https://shop.example/?email=&b=1"}, "list": [["to !"]]},
        "properties": {"price": 1.5},
    }


def test_an_event_does_not_lose_what_it_must_have():
    long = f"{'x' * 200}.{EMAIL}"
    result = kept({"event": EMAIL, "messageId": long, "anonymousId": EMAIL, "previousId": None}, emails="remove")

    assert result["event"] == result["anonymousId"] == SHA
    assert len(result["messageId"]) == 64
    assert Privacy(PrivacySettings(emails="remove")).message_id(long) == result["messageId"]


def test_parameters_are_blanked_in_the_addresses_of_the_page():
    url, secret = "https://shop.example/?token=s3cret&b=1", "token=s3cret"
    page = {"url": url, "referrer": url, "search": f"?{secret}", "title": secret}

    result = kept({"context": {"page": page}, "properties": {**page, "href": url}}, url_parameters=["Token"])

    blank = "https://shop.example/?token=&b=1"
    assert result["context"]["page"] == {"url": blank, "referrer": blank, "search": "?token=", "title": secret}
    assert result["properties"] == {**result["context"]["page"], "href": url}


def test_an_event_does_not_grow_without_bounds():
    """A hash is longer than what it hashes; whoever knows the write key may send many values."""
    event = {"userId": "1", "properties": {"list": [1] * 5000}, "traits": {"list": ["a@b.co"] * 5000}}
    size = len(orjson.dumps(event))

    result = kept(event, hash=["userId", "properties.list"], emails="hash")

    assert len(orjson.dumps(result)) <= (MOST_GROWTH + 2) * size
    assert len(result["userId"]) == 64
    assert (len(result["properties"]["list"]), result["properties"]["list"][-1]) == (5000, "")
    assert (len(result["traits"]["list"]), result["traits"]["list"][-1]) == (5000, "")


def test_the_strictest_rules_hold_for_what_is_nobodys():
    rules = strictest([PrivacySettings(), PrivacySettings(ip="drop"), PrivacySettings(ip="truncate")])

    assert rules is not None
    assert rules.address("203.0.113.9") == ""
    assert strictest([PrivacySettings(), PrivacySettings(refused="keep")]) is None


@pytest.mark.parametrize(
    "settings",
    [
        {"remove": ["userId"]},
        {"remove": ["type"]},
        {"remove": ["context"]},
        {"remove": ["context.*"]},
        {"remove": ["context.consent.categoryPreferences"]},
        {"remove": ["*"]},
        {"hash": ["messageId"]},
        {"hash": ["context"]},
        {"hash": ["*.consent"]},
        {"remove": [""]},
        {"ip": "cut"},
    ],
)
def test_a_rule_that_would_break_events_is_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        PrivacySettings(**settings)


@given(EVENTS, SETTINGS)
def test_any_json_keeps_being_an_event(event: dict[str, Any], settings: PrivacySettings):
    rules = Privacy(settings)
    raw = json.dumps(event, ensure_ascii=False).encode(errors="replace")
    value = clean(load(raw)[0])[0]

    result = orjson.loads(orjson.dumps(rules.applied(value, len(raw))))

    assert (result["type"], result["messageId"]) == ("track", "m1")
    assert result["event"]
    assert bool(result.get("userId")) == bool(event.get("userId"))
    if settings.emails != "keep":
        assert "shop.example" not in json.dumps(result).lower()
    if settings.ip == "drop" and isinstance(result.get("context"), dict):
        assert "ip" not in result["context"]


@given(EVENTS, SETTINGS)
def test_rules_applied_twice_change_nothing_more(event: dict[str, Any], settings: PrivacySettings):
    rules = Privacy(settings)
    once = orjson.loads(orjson.dumps(rules.applied(event, 10_000)))

    assert orjson.loads(orjson.dumps(rules.applied(once, 10_000))) == once


@given(EVENTS, SETTINGS)
def test_what_no_rule_may_touch_is_not_touched(event: dict[str, Any], settings: PrivacySettings):
    """The cheap search of the bytes rules out no event that a rule concerns."""
    rules = Privacy(settings)
    raw = orjson.dumps(event)

    if not rules.may_touch(raw):
        assert orjson.loads(orjson.dumps(rules.applied(orjson.loads(raw), len(raw)))) == event
