"""Customer.io: who people are, what its limits do, and how its answers are read."""

import json
import re
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.customerio import CUSTOMERIO, MAX_BATCH_BYTES, CustomerioSettings
from gateway.destinations.customerio_people import ulid
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Partial, Reject, Retry
from tests.vendors.events import seen

PAYLOADS = [Payload(f"m{n}", b"{}") for n in range(3)]


def settings(**more: Any) -> CustomerioSettings:
    return CustomerioSettings(site_id="site-1", api_key="s3cret", **more)


def mapped(raw: dict[str, Any], **more: Any) -> list[Message]:
    kind = {} if "type" in raw else {"type": "track", "event": "Signed In"}
    event = {**kind, "messageId": "m1", "timestamp": "2026-11-25T11:59:00Z", **raw}
    return list(CUSTOMERIO.map(seen(event), settings(**more)))


def body(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    return mapped(raw, **more)[0].body


def answered(status: int, said: object = None, headers: dict[str, str] | None = None) -> object:
    return CUSTOMERIO.classify(Response(status, headers or {}, json.dumps(said).encode()), PAYLOADS)


@pytest.mark.parametrize(
    ("event", "identifiers"),
    [
        ({"userId": "u-42", "anonymousId": "a"}, {"id": "u-42"}),
        ({"userId": 42}, {"id": "42"}),
        ({"userId": "ada@example.com"}, {"email": "ada@example.com"}),
        ({"userId": "not an address@"}, {"id": "not an address@"}),
        ({"userId": "cio_a3000001"}, {"cio_id": "a3000001"}),
        ({"anonymousId": "a", "context": {"traits": {"email": "ada@example.com"}}}, {"email": "ada@example.com"}),
        ({"anonymousId": "a", "properties": {"email": "nonsense"}}, {"anonymous_id": "a"}),
        ({"anonymousId": "a"}, {"anonymous_id": "a"}),
    ],
)
def test_people_are_known_by_exactly_one_name(event: dict[str, Any], identifiers: dict[str, str]):
    assert body(event)["identifiers"] == identifiers


@pytest.mark.parametrize(
    "event",
    [
        {"type": "identify", "anonymousId": "a", "traits": {"plan": "pro"}},
        {"type": "group", "userId": "u"},
        {"type": "alias", "userId": "u", "previousId": "u"},
        {"type": "alias", "userId": "u"},
        {"type": "track", "event": " ", "userId": "u"},
        {"type": "track", "event": "x"},
        {"type": "screen", "name": "", "userId": "u"},
    ],
)
def test_what_names_nobody_or_nothing_is_not_told(event: dict[str, Any]):
    assert mapped(event) == []


def test_a_group_that_nobody_is_in_is_an_object_all_the_same():
    told = body({"type": "group", "groupId": "g1", "traits": {"name": "Acme"}})

    assert told["action"] == "identify"
    assert "cio_relationships" not in told


def test_a_groups_attributes_are_not_those_of_the_person_who_joined():
    told = body({"type": "group", "groupId": "g1", "userId": "u", "context": {"traits": {"email": "ada@example.com"}}})

    assert told["attributes"] == {}


def test_the_id_of_an_event_is_a_ulid_that_its_message_id_decides():
    first, again, other = ulid("0192f3a4-5b6c-7d8e"), ulid("0192f3a4-5b6c-7d8e"), ulid("0192f3a4-5b6c-7d8f")

    assert first == again != other
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", first)


def test_a_message_id_that_is_a_ulid_is_the_id():
    assert ulid("01JDHK8RZ0V3X5Y7A9B1C2D3E4") == "01JDHK8RZ0V3X5Y7A9B1C2D3E4"


def test_a_name_is_cut_at_100_bytes_and_not_within_a_letter():
    (message,) = mapped({"userId": "u", "event": "a" * 99 + "é"})

    assert message.body["name"] == "a" * 99
    assert message.repairs == ("name_cut",)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://shop.example/a?utm_source=b", "https://shop.example/a"),
        ("https://shop.example/a#top", "https://shop.example/a"),
        ("https://shop.example/a", "https://shop.example/a"),
    ],
)
def test_a_page_is_called_by_its_address_without_the_query(url: str, name: str):
    told = body({"type": "page", "userId": "u", "name": "A", "properties": {"url": url}})

    assert (told["action"], told["name"], told["attributes"]["url"]) == ("page", name, url)


def test_a_page_without_an_address_has_its_name():
    assert body({"type": "page", "userId": "u", "name": "A"})["name"] == "A"


def test_attributes_that_would_have_the_person_refused_are_left_out():
    traits = {"bio": "é" * 501, "n" * 151: 1, "list": ["x" * 1000], "plan": "pro", "coupon": None}

    (message,) = mapped({"type": "identify", "userId": "u", "anonymousId": "a", "traits": traits})

    assert message.body["attributes"] == {"plan": "pro", "coupon": None, "anonymous_id": "a"}
    assert message.repairs == ("attribute_left_out",)


def test_of_too_many_attributes_the_first_300_are_told():
    traits = {f"t{n}": n for n in range(400)}

    (message,) = mapped({"type": "identify", "userId": "u", "anonymousId": "a", "traits": traits})

    assert len(message.body["attributes"]) == 300
    assert message.repairs == ("attribute_left_out",)


def test_traits_cannot_give_a_person_another_id():
    traits = {"id": "x", "cio_id": "y", "userId": "z", "anonymous_id": "w", "createdAt": "nonsense"}

    assert body({"type": "identify", "userId": "u", "traits": traits})["attributes"] == {}


def test_an_event_says_where_messages_go_only_where_the_owner_lets_it():
    event = {"userId": "u", "properties": {"recipient": "a@b.example", "from_address": "c", "reply_to": "d", "n": 1}}

    assert body(event)["attributes"] == {"n": 1}
    assert body(event, addressing=True)["attributes"] == event["properties"]


@pytest.mark.parametrize(
    "event",
    [
        {"anonymousId": "a", "context": {"device": {"token": "t", "type": "ios"}}},
        {"userId": "u", "context": {"device": {"type": "ios"}}},
        {"userId": "u", "context": {"device": {"token": "t", "type": "windows"}}},
        {"userId": "u", "event": "Signed In", "context": {"device": {"token": "t", "type": "ios"}}},
    ],
)
def test_a_device_needs_a_person_a_token_and_a_platform(event: dict[str, Any]):
    assert [message.body["action"] for message in mapped({"event": "Application Opened", **event})] == ["event"]


def test_operations_of_all_kinds_share_a_request_that_is_smaller_than_500_kb():
    request = CUSTOMERIO.request([Payload("m", b"x" * MAX_BATCH_BYTES)], settings(), Sending(0))

    assert len(request.body) == 499_999


def test_the_probe_asks_for_the_region():
    probe = CUSTOMERIO.probe(settings(base_url="https://track-eu.customer.io/"))

    assert (probe.method, probe.url) == ("GET", "https://track-eu.customer.io/api/v1/accounts/region")
    assert probe.headers == {"authorization": "Basic c2l0ZS0xOnMzY3JldA=="}


@pytest.mark.parametrize("status", [200, 207])
def test_errors_speak_of_operations_by_their_place(status: int):
    error = {"batch_index": 1, "reason": "invalid", "field": "attributes", "message": "attribute value too long"}

    outcome = answered(status, {"errors": [error]})

    assert outcome == Partial([Delivered(), Reject("invalid attributes attribute value too long"), Delivered()])


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"errors": []},
        {"errors": ["x"]},
        {"errors": [{"message": "which?"}]},
        {"errors": [{"batch_index": 3, "message": "there are only three"}]},
        {"errors": [{"batch_index": 0}, {"batch_index": [1]}]},
    ],
)
def test_where_it_cannot_be_read_whom_errors_mean_the_whole_is_sent_again_by_halves(said: object):
    assert isinstance(answered(207, said), Reject)


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (200, {}, Delivered()),
        (200, {"errors": []}, Delivered()),
        (
            400,
            {"errors": [{"reason": "required", "field": "batch"}]},
            Reject('HTTP 400: {"errors": [{"reason": "required", "field": "batch"}]}'),
        ),
        (401, {"meta": {"error": "unauthorized"}}, Halt("HTTP 401")),
        (429, {}, Retry("HTTP 429")),
    ],
)
def test_other_answers_mean_what_they_mean_everywhere(status: int, said: object, outcome: object):
    assert answered(status, said) == outcome


@pytest.mark.parametrize("key", ["base_url", "region"])
def test_a_setting_that_could_not_work_is_refused(key: str):
    with pytest.raises(ValidationError):
        settings(**{key: "track.customer.io"})
