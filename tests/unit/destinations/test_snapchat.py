"""Snap: match keys as its page hashes them, what it refuses to take, and refusals that come as success."""

import json
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.snapchat import EVENT_NAMES, SNAPCHAT, EventName, SnapchatSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import AT_MS, seen

REQUIRED = {"pixel_id": "pixel-1", "access_token": "s3cret/token", "site_url": "https://shop.example"}
PHONE = {"type": "ios", "id": "idfv-1", "advertisingId": "8A2E4F6D-0852-4B2A-B9D5-79334DE14B16"}


def mapped(event: dict[str, Any], **settings: Any) -> list[Message]:
    return [*SNAPCHAT.map(seen({"messageId": "m-1", **event}), SnapchatSettings(**REQUIRED, **settings))]


def told(event: dict[str, Any], **settings: Any) -> dict[str, Any]:
    (message,) = mapped(event, **settings)
    body: dict[str, Any] = message.body
    return body


def user_of(traits: dict[str, Any], **settings: Any) -> dict[str, Any]:
    user: dict[str, Any] = told({"type": "page", "context": {"traits": traits}}, **settings)["user_data"]
    return user


def track(name: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "userId": "u-1", "properties": properties}


def classified(status: int, body: Any = None, **headers: str) -> Outcome:
    raw = b"" if body is None else json.dumps(body).encode()
    return SNAPCHAT.classify(Response(status, headers, raw), [Payload("m-1", b"{}")])


@pytest.mark.parametrize(
    ("traits", "key", "digest"),
    [
        ({"email": "Person@Example.com"}, "em", "542d240129883c019e106e3b1b2d3f3cb3537c43c425364de8e951d5a3083345"),
        ({"phone": "+44 844 412 4653"}, "ph", "dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"),
        ({"firstName": "John"}, "fn", "96d9632f363564cc3032521409cf22a852f2032eec099ed5967c0d000cec607a"),
        ({"firstName": "Raphaël"}, "fn", "e74bb89e718fe1e19c422a48382870399f8bf7ca8dfa008739e75b0be76627b7"),
    ],
)
def test_a_person_has_the_hashes_that_snap_publishes(traits: dict[str, Any], key: str, digest: str):
    assert user_of(traits)[key] == [digest]


def test_a_number_without_country_code_is_one_of_the_persons_country_else_of_the_default():
    number = {"phone": "0844 412 4653"}
    in_britain = ["dc008fda46e2e64002cf2f82a4906236282d431c4f75e5b60bfe79fc48546383"]

    assert "ph" not in user_of(number)
    assert user_of(number, default_country="GB")["ph"] == in_britain
    assert user_of({**number, "address": {"country": "GB"}}, default_country="US")["ph"] == in_britain


def test_what_is_hashed_already_is_not_hashed_again():
    digest = "542D240129883C019E106E3B1B2D3F3CB3537C43C425364DE8E951D5A3083345"

    assert user_of({"email": digest})["em"] == [digest.lower()]


def test_what_only_machines_say_is_not_hashed():
    page = {"url": "https://shop.example/?ScCid=click-1"}
    event = {
        "type": "page",
        "context": {"ip": "2001:db8::1", "userAgent": "T/1", "page": page, "cookies": {"_scid": "c"}},
    }

    assert told(event)["user_data"] == {
        "client_ip_address": "2001:db8::1",
        "client_user_agent": "T/1",
        "sc_click_id": "click-1",
        "sc_cookie1": "c",
    }


@pytest.mark.parametrize(
    ("context", "messages"),
    [
        ({}, 0),
        ({"ip": "192.168.0.1"}, 0),
        ({"userAgent": "T/1"}, 0),
        ({"ip": "192.168.0.1", "userAgent": "T/1"}, 1),
        ({"traits": {"email": "ada@example.com"}}, 1),
        ({"traits": {"phone": "+4930901820"}}, 1),
        ({"traits": {"firstName": "Ada"}, "cookies": {"_scid": "c"}}, 0),
    ],
)
def test_an_event_by_which_snap_would_know_nobody_has_no_counterpart(context: dict[str, Any], messages: int):
    event = {"type": "page", "messageId": "m-1", "timestamp": "2026-11-25T12:00:00Z", "userId": "u", "context": context}

    assert len(SNAPCHAT.map(event, SnapchatSettings(**REQUIRED))) == messages


def test_an_event_of_an_app_is_sent_for_the_app():
    event = {"type": "screen", "name": "Start", "context": {"device": PHONE}}

    (message,) = mapped(event, snap_app_id="app-1")

    assert message.key == "app-1"
    assert message.body["event_name"] == "PAGE_VIEW"
    assert message.body["action_source"] == "MOBILE_APP"
    assert message.body["user_data"]["madid"] == "8a2e4f6d-0852-4b2a-b9d5-79334de14b16"
    assert message.body["user_data"]["idfv"] == "idfv-1"
    assert message.body["app_data"] == {"extinfo": ["i2", *[""] * 15]}


def test_an_event_of_an_app_is_not_sent_for_the_site():
    assert mapped({"type": "screen", "context": {"device": PHONE}}) == []


def test_an_advertising_id_that_its_owner_withholds_is_not_sent():
    device = {**PHONE, "adTrackingEnabled": False}

    body = told({"type": "screen", "context": {"device": device}}, snap_app_id="app-1")

    assert "madid" not in body["user_data"]
    assert body["app_data"]["advertiser_tracking_enabled"] == 0


def test_installing_and_opening_are_of_apps_alone():
    assert mapped(track("Application Opened"), snap_app_id="app-1") == []
    assert len(mapped({**track("Application Opened"), "context": {"device": PHONE}}, snap_app_id="app-1")) == 1


def test_pages_of_the_site_and_events_of_the_app_go_to_their_own_addresses():
    settings = SnapchatSettings(**REQUIRED, snap_app_id="app-1")

    of_site = SNAPCHAT.request(
        [Payload("m-1", b"{}", "pixel-1"), Payload("m-2", b"{ }", "pixel-1")], settings, Sending(0)
    )
    of_app = SNAPCHAT.request([Payload("m-3", b"{}", "app-1")], settings, Sending(0))

    assert of_site.url == "https://tr.snapchat.com/v3/pixel-1/events?access_token=s3cret%2Ftoken"
    assert of_site.body == b'{"data":[{},{ }]}'
    assert of_app.url == "https://tr.snapchat.com/v3/app-1/events?access_token=s3cret%2Ftoken"


def test_a_purchase_without_amount_is_refused_in_words():
    with pytest.raises(ValueError, match="no purchase without an amount"):
        mapped(track("Order Completed", order_id="o-1", products=[{"product_id": "sku-1"}]))
    with pytest.raises(ValueError, match="no purchase without an amount"):
        mapped(track("Order Completed", total=-1))

    assert told(track("Order Completed", total=0))["custom_data"] == {"value": 0, "currency": "USD"}


def test_an_amount_is_what_the_products_cost_where_nothing_else_is_said():
    custom = told(track("Product Added", product_id="sku-1", price=5.5, quantity=2, currency="EUR"))["custom_data"]

    assert (custom["value"], custom["currency"]) == (11, "EUR")
    assert custom["contents"] == [{"id": "sku-1", "quantity": "2", "item_price": "5.5"}]


def test_a_category_is_said_where_all_products_are_of_it():
    boots, socks = {"product_id": "1", "category": "Shoes"}, {"product_id": "2", "category": "Socks"}

    assert told(track("Product List Viewed", products=[boots, boots]))["custom_data"]["content_category"] == "Shoes"
    assert "content_category" not in told(track("Product List Viewed", products=[boots, socks]))["custom_data"]


def test_an_event_without_a_page_is_given_the_sites_address():
    assert told(track("Signed Up"))["event_source_url"] == "https://shop.example"


def test_what_is_yet_to_come_happened_when_it_was_received():
    (message,) = mapped({**track("Signed Up"), "timestamp": "2026-11-25T12:10:00Z"})

    assert message.body["event_time"] == AT_MS
    assert message.repairs == ["future_time"]


def test_the_owners_names_come_before_the_table():
    names = {"Signed Up": "SUBSCRIBE", "Pricing": "VIEW_CONTENT", "Fitting Booked": "CUSTOM_EVENT_1"}

    assert told(track("Signed Up"), events=names)["event_name"] == "SUBSCRIBE"
    assert told(track("Fitting Booked"), events=names)["event_name"] == "CUSTOM_EVENT_1"
    assert told({"type": "page", "name": "Pricing"}, events=names)["event_name"] == "VIEW_CONTENT"
    assert mapped(track("Fitting Booked")) == []


def test_the_table_knows_only_names_of_snaps():
    assert {*EVENT_NAMES.values()} <= {*get_args(EventName)}


def test_the_pixels_id_for_the_event_can_be_given():
    assert told(track("Signed Up", event_id="signup-7"))["event_id"] == "signup-7"


def test_a_refusal_is_in_snaps_words():
    body = {
        "status": "INVALID",
        "event": 0,
        "errors": {"codes": ["4001"], "error_msgs": ["event_time is out of range", "insufficient PII"]},
    }

    assert classified(400, body) == Reject("HTTP 400: event_time is out of range; insufficient PII")


def test_a_refusal_that_comes_as_success_is_one():
    assert classified(200, {"status": "INVALID", "reason": "no valid events"}) == Reject("INVALID: no valid events")
    assert classified(200, {"status": "INVALID"}) == Reject("INVALID")


@pytest.mark.parametrize(
    "reason", ["Invalid token", "access_token s3cret is expired token", "Token s3cret is not of this organization"]
)
def test_a_400_that_speaks_of_the_token_pauses_and_does_not_repeat_it(reason: str):
    assert classified(400, {"status": "INVALID", "reason": reason}) == Halt("HTTP 400: the access token was refused")


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (200, {"status": "VALID", "reason": "Events have been processed successfully."}, Delivered()),
        (401, {"status": "INVALID", "reason": "Unauthorized"}, Halt("HTTP 401: Unauthorized")),
        (403, None, Halt("HTTP 403")),
        (429, {"status": "INVALID", "reason": "slow down"}, Retry("HTTP 429", 7)),
        (503, None, Retry("HTTP 503", 7)),
        (200, {"status": ["?"], "errors": {"error_msgs": 3}}, Delivered()),
    ],
)
def test_answers_are_read_as_snap_means_them(status: int, body: Any, outcome: Outcome):
    assert classified(status, body, **{"retry-after": "7"}) == outcome


def test_the_probe_asks_for_numbers_and_changes_nothing():
    probe = SNAPCHAT.probe(SnapchatSettings(**REQUIRED))

    assert (probe.method, probe.body) == ("GET", b"")
    assert probe.url == "https://tr.snapchat.com/v3/pixel-1/events/validate/stats?access_token=s3cret%2Ftoken"


def test_snaps_limits():
    settings = SnapchatSettings(**REQUIRED)

    assert (SNAPCHAT.batch_events(settings), SNAPCHAT.batch_bytes(settings)) == (2000, 2_000_000)
    assert SNAPCHAT.age_limit_s(settings) == 37 * 86_400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixel_id", "a/b"),
        ("pixel_id", ""),
        ("snap_app_id", "a?b"),
        ("access_token", ""),
        ("site_url", "shop.example"),
        ("events", {"Demo": "CUSTOM_EVENT_6"}),
        ("default_currency", "Euro"),
        ("default_country", "de"),
        ("action_source", "MOBILE_APP"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: Any):
    with pytest.raises(ValidationError):
        SnapchatSettings(**{**REQUIRED, key: value})
