"""Pinterest's API for Conversions: lists of hashes, amounts as texts, and an answer for each event."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.pinterest import PINTEREST, PinterestSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import BOOTS, SOCKS, seen

PAGE = {"page": {"url": "https://shop.example/"}}
PROCESSED = {"status": "processed", "error_message": "", "warning_message": "click_id is missing"}
FAILED = {"status": "failed", "error_message": "Invalid event_name: subscription.", "warning_message": None}


def settings(**more: Any) -> PinterestSettings:
    return PinterestSettings.model_validate({"ad_account_id": "1", "access_token": "s3cret", **more})


def messages(chosen: PinterestSettings | None = None, **fields: Any) -> list[Message]:
    raw = {"messageId": "m1", "type": "track", "event": "Order Updated", "userId": "u1", "context": PAGE, **fields}
    return list(PINTEREST.map(seen(raw), chosen or settings()))


def told(chosen: PinterestSettings | None = None, **fields: Any) -> dict[str, Any]:
    (message,) = messages(chosen, **fields)
    body: dict[str, Any] = message.body
    return body


def read(status: int, body: Any, sent: int = 1) -> Outcome:
    return PINTEREST.classify(Response(status, {}, json.dumps(body).encode()), [Payload("m", b"{}")] * sent)


@pytest.mark.parametrize(
    ("context", "is_told"),
    [
        ({"traits": {"email": "ada@example.com"}}, True),
        ({"device": {"advertisingId": "ID"}}, True),
        ({"device": {"advertisingId": "ID", "adTrackingEnabled": False}}, False),
        ({"ip": "203.0.113.9", "userAgent": "UA"}, True),
        ({"ip": "203.0.113.9"}, False),
        ({"userAgent": "UA"}, False),
        ({"traits": {"phone": "+49 30 901820"}}, False),
    ],
)
def test_nothing_is_sent_of_somebody_whom_pinterest_could_not_find(context: dict[str, Any], is_told: bool):
    event = seen({"messageId": "m1", "type": "track", "event": "X", "userId": "u1"})
    event["context"] = context

    assert bool(PINTEREST.map(event, settings())) is is_told


@pytest.mark.parametrize("kind", ["page", "track"])
def test_every_event_has_the_id_of_the_tags_copy(kind: str):
    assert told(type=kind)["event_id"] == "m1"
    assert told(type=kind, properties={"event_id": "tag-7"})["event_id"] == "tag-7"


def test_what_pinterest_has_no_name_for_is_custom_unless_the_owner_names_it():
    assert told(event="Level Reached")["event_name"] == "custom"
    assert told(settings(events={"Level Reached": "lead"}), event="Level Reached")["event_name"] == "lead"
    assert told(settings(events={"Product Viewed": "page_visit"}), event="Product Viewed")["event_name"] == "page_visit"


def test_amounts_are_texts_and_counts_are_numbers():
    data = told(event="Checkout Started", properties={"products": [BOOTS, SOCKS], "currency": "EUR"})["custom_data"]

    assert (data["value"], data["num_items"]) == ("85.5", 3)
    assert [each["item_price"] for each in data["contents"]] == ["40", "5.5"]


def test_a_list_is_not_worth_what_it_shows():
    assert "value" not in told(event="Product List Viewed", properties={"products": [BOOTS, SOCKS]})["custom_data"]


def test_properties_that_pinterest_has_no_field_for_stay_here():
    assert "custom_data" not in told(event="Level Reached", properties={"level": 7, "email": "ada@example.com"})


@pytest.mark.parametrize(
    ("context", "source"),
    [
        (PAGE, "web"),
        ({"device": {"type": "android"}}, "app_android"),
        ({"device": {"type": "iOS"}}, "app_ios"),
        ({**PAGE, "device": {"type": "ios"}}, "web"),
        ({}, "offline"),
    ],
)
def test_an_event_comes_from_a_page_an_app_or_where_the_settings_say(context: dict[str, Any], source: str):
    assert told(settings(action_source="offline"), context=context)["action_source"] == source


def test_the_flag_of_limited_data_processing_is_the_settings_unless_the_sender_says_otherwise():
    limited = settings(limited_data_processing=True)
    refusing = {"Pinterest Conversions API": {"limited_data_processing": False}}

    assert told(limited)["custom_data"] == {"opt_out_type": "LDP"}
    assert "custom_data" not in told(limited, integrations=refusing)


def test_the_bodies_are_sent_as_they_are():
    request = PINTEREST.request([Payload("m1", b'{"n":1.0}'), Payload("m2", b"{}")], settings(), Sending(0))

    assert request.body == b'{"data":[{"n":1.0},{}]}'
    assert request.url == "https://api.pinterest.com/v5/ad_accounts/1/events"
    assert request.headers["authorization"] == "Bearer s3cret"


def test_of_test_events_pinterest_reads_twenty_in_a_request():
    assert PINTEREST.batch_events(settings()) == 1000
    assert PINTEREST.batch_events(settings(test=True)) == 20
    assert PINTEREST.age_limit_s(settings()) == 7 * 86_400


@pytest.mark.parametrize("status", [200, 422])
def test_every_event_has_its_own_answer(status: int):
    outcome = read(status, {"num_events_received": 2, "num_events_processed": 1, "events": [FAILED, PROCESSED]}, sent=2)

    assert outcome == Partial([Reject("Pinterest: Invalid event_name: subscription."), Delivered()])


def test_an_answer_for_other_events_than_were_sent_is_read_by_its_status():
    assert read(200, {"events": [PROCESSED]}, sent=2) == Delivered()
    assert isinstance(read(422, {"events": [FAILED]}, sent=2), Reject)
    assert read(200, {"events": [None]}) == Partial([Delivered()])


def test_an_account_that_is_not_there_needs_the_owner():
    assert isinstance(read(404, {"code": 2, "message": "AdAccount not found."}), Halt)
    assert read(401, {"code": 2, "message": "Authentication failed."}) == Halt("HTTP 401")
    assert read(429, {"code": 8, "message": "Too many."}) == Retry("HTTP 429")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ad_account_id", "abc"),
        ("ad_account_id", "1" * 19),
        ("access_token", ""),
        ("events", {"Level Reached": "level_reached"}),
        ("currency", "euro"),
        ("phone_country", "Germany"),
        ("action_source", "app_ios"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: object):
    with pytest.raises(ValidationError):
        settings(**{key: value})
