"""Meta's Conversions API: whom an event is of, what it is called, what stays here, and what answers mean."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import BatchSettings
from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.destinations.meta import META, MetaSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import BOOTS, SOCKS, seen

AT_MS = 1_795_608_000_000
PAGE = {"page": {"url": "https://shop.example/"}}
HASH = "A" * 64


def settings(**more: Any) -> MetaSettings:
    return MetaSettings.model_validate({"pixel_id": "1", "access_token": "s3cret", **more})


def messages(chosen: MetaSettings | None = None, **fields: Any) -> list[Message]:
    raw = {"messageId": "m1", "type": "track", "event": "Order Updated", "userId": "u1", "context": PAGE, **fields}
    return list(META.map(seen(raw), chosen or settings()))


def told(chosen: MetaSettings | None = None, **fields: Any) -> dict[str, Any]:
    (message,) = messages(chosen, **fields)
    body: dict[str, Any] = message.body
    return body


def person(traits: dict[str, Any], **more: Any) -> dict[str, Any]:
    return told(settings(**more), context={**PAGE, "traits": traits})["user_data"]


def custom(event: str, **properties: Any) -> dict[str, Any]:
    return told(event=event, properties=properties).get("custom_data", {})


def read(status: int, code: int | None = None, sent: int = 1, **more: Any) -> Outcome:
    body = {"error": {"message": "Words", "code": code, **more}} if code is not None else more
    return META.classify(Response(status, {}, json.dumps(body).encode()), [Payload("m", b"{}")] * sent)


@pytest.mark.parametrize(
    ("traits", "key", "digest"),
    [
        ({"email": "John_Smith@gmail.com"}, "em", "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
        (
            {"phone": "(650)555-1212", "address": {"country": "US"}},
            "ph",
            "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176",
        ),
        ({"firstName": "Mary"}, "fn", "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
        ({"firstName": "정"}, "fn", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
        ({"firstName": "Valéry"}, "fn", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    ],
)
def test_the_hashes_are_those_that_meta_publishes(traits: dict[str, Any], key: str, digest: str):
    assert person(traits)[key] == [digest]


@pytest.mark.parametrize(
    ("traits", "key"),
    [
        ({"email": HASH}, "em"),
        ({"phone": HASH}, "ph"),
        ({"gender": HASH}, "ge"),
        ({"birthday": HASH}, "db"),
        ({"address": {"postalCode": HASH, "country": "US"}}, "zp"),
        ({"address": {"country": HASH}}, "country"),
    ],
)
def test_what_is_hashed_already_is_passed_on(traits: dict[str, Any], key: str):
    assert person(traits)[key] == [HASH.lower()]


def test_a_phone_number_is_read_by_the_persons_country_then_by_the_settings_and_else_left_out():
    national = {"phone": "030 901820"}
    german = person({"phone": "+49 30 901820"})["ph"]

    assert person({**national, "address": {"country": "DE"}}, phone_country="US")["ph"] == german
    assert person(national, phone_country="DE")["ph"] == german
    assert "ph" not in person(national)


def test_what_names_a_browser_is_not_hashed():
    context = {
        **PAGE,
        "ip": "2001:db8::1",
        "userAgent": "UA",
        "cookies": {"_fbp": "fb.1.1558571054389.1098115397", "_fbc": "fb.1.1554763741205.AbCd"},
    }

    assert {key: value for key, value in told(context=context)["user_data"].items() if key != "external_id"} == {
        "client_ip_address": "2001:db8::1",
        "client_user_agent": "UA",
        "fbp": "fb.1.1558571054389.1098115397",
        "fbc": "fb.1.1554763741205.AbCd",
    }


def test_the_user_is_the_external_id_and_without_one_the_visitor():
    user = told(userId="u1", anonymousId="v1")["user_data"]
    visitor = told(userId=None, anonymousId="v1")["user_data"]

    assert user["external_id"] == ["bb82030dbc2bcaba32a90bf2e207a84a856fc5f033b77c480836ab6f77f40f19"]
    assert visitor["external_id"] == ["3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe"]


def test_a_click_is_what_the_cookie_would_hold():
    context = {"page": {"url": "https://shop.example/?fbclid=IwAR2F4-CaSe"}}

    assert told(context=context)["user_data"]["fbc"] == f"fb.1.{AT_MS}.IwAR2F4-CaSe"


def test_a_remembered_click_keeps_the_time_at_which_it_was_first_seen():
    last = {"clickIds": {"fbclid": "IwAR2"}, "at": "2026-11-24T12:00:00Z"}
    context = {**PAGE, "attribution": {"last": last}}

    assert told(context=context)["user_data"]["fbc"] == f"fb.1.{AT_MS - 86_400_000}.IwAR2"


@pytest.mark.parametrize("value", ["IwAR2", "fb.1.x.IwAR2", "fb.1.1554763741205.", "fb.1.1554763741205.a b"])
def test_a_cookie_that_is_not_metas_is_left_out(value: str):
    context = {**PAGE, "cookies": {"_fbp": value, "_fbc": value}}

    assert not {"fbp", "fbc"} & told(context=context)["user_data"].keys()


def test_a_device_that_may_not_be_tracked_has_no_advertising_id():
    device = {"type": "ios", "advertisingId": "ID", "adTrackingEnabled": False}

    body = told(context={"device": device, "os": {"version": "18"}})

    assert "madid" not in body["user_data"]
    assert body["app_data"]["advertiser_tracking_enabled"] == 0
    assert body["app_data"]["application_tracking_enabled"] == 0
    assert body["app_data"]["extinfo"][0] == "i2"
    assert len(body["app_data"]["extinfo"]) == 16


@pytest.mark.parametrize(
    ("traits", "agent"),
    [
        ({}, "UA"),
        ({"gender": "f", "address": {"city": "Menlo Park", "state": "CA", "zip": "94025", "country": "US"}}, "UA"),
        ({"birthday": "1997-02-16"}, "UA"),
        ({"firstName": "Ada", "gender": "f"}, None),
        ({"lastName": "Lovelace", "gender": "f"}, None),
    ],
)
def test_nothing_is_sent_of_somebody_whom_meta_could_not_find(traits: dict[str, Any], agent: str | None):
    event = seen({"messageId": "m1", "type": "track", "event": "X"})
    event["context"] = {**PAGE, "traits": traits, "userAgent": agent}

    assert list(META.map(event, settings())) == []
    assert len(META.map({**event, "anonymousId": "v1"}, settings())) == 1


@pytest.mark.parametrize("call", [{"type": "page"}, {"type": "screen", "name": "Start"}, {"type": "track"}])
def test_every_event_has_the_id_of_the_browsers_copy(call: dict[str, Any]):
    assert told(**call)["event_id"] == "m1"
    assert told(**call, properties={"event_id": "pixel-7"})["event_id"] == "pixel-7"


def test_a_long_name_is_cut_and_counted():
    (message,) = messages(event="x" * 51)

    assert message.body["event_name"] == "x" * 50
    assert message.repairs == ("event_name_cut",)


def test_names_of_metas_own_are_passed_on_and_the_owners_are_translated():
    chosen = settings(events={"Order Completed": "Subscribe", "Form Submitted": "Lead"})

    assert told(event="Donate")["event_name"] == "Donate"
    assert told(chosen, event="Form Submitted")["event_name"] == "Lead"
    assert told(chosen, event="completed order")["event_name"] == "Subscribe"


def test_a_purchase_without_a_value_is_refused_in_words():
    with pytest.raises(ValueError, match="no Purchase without a value"):
        messages(event="Order Completed", properties={"order_id": "o-1"})


def test_a_purchase_is_worth_its_revenue_else_what_its_products_cost():
    assert custom("Order Completed", revenue=85.5, total=94.45)["value"] == 85.5
    assert custom("Order Completed", total=94.45)["value"] == 94.45
    assert custom("Order Completed", revenue=0)["value"] == 0
    assert custom("Order Completed", products=[BOOTS, SOCKS])["value"] == 85.5


def test_a_list_is_not_worth_what_it_shows():
    assert "value" not in custom("Product List Viewed", products=[BOOTS, SOCKS])
    assert custom("Product Viewed", **BOOTS)["value"] == 80


def test_a_product_without_an_id_is_left_out():
    data = custom("Product List Viewed", products=[{"name": "Boots"}, SOCKS, "junk"])

    assert data["content_ids"] == ["sku-2"]


def test_only_deliveries_that_meta_knows_are_told():
    data = custom("Checkout Started", products=[{**BOOTS, "delivery_category": "drone"}, SOCKS], value=1)

    assert not any("delivery_category" in each for each in data["contents"])


@pytest.mark.parametrize(
    "properties",
    [
        {"email": "ada@example.com"},
        {"Email Address": "x"},
        {"first_name": "Ada"},
        {"lastName": "Lovelace"},
        {"customer": {"phone_number": "1", "postal_code": "10115"}},
        {"billingEmail": "x"},
        {"address": {"line1": "Allee 1"}},
        {"date_of_birth": "1815-12-10"},
        {"ip": "203.0.113.9"},
        {"contact": "ada@example.com"},
        {"contacts": ["x", "ada@example.com"]},
        {"rows": [{"email": "x"}]},
        {"nothing": None},
    ],
)
def test_what_names_somebody_stays_out_of_the_custom_data(properties: dict[str, Any]):
    assert custom("Level Reached", level=7, **properties) == {"level": 7}


def test_of_standard_events_meta_is_told_what_it_has_parameters_for():
    assert custom("Payment Info Entered", payment_method="Visa", coupon="WINTER", order_id="o-1") == {"order_id": "o-1"}


def test_a_page_says_no_more_than_that_it_was_seen():
    assert "custom_data" not in told(type="page", properties={"title": "Home", "search": "?q=1"})


@pytest.mark.parametrize(
    ("context", "source"),
    [
        (PAGE, "website"),
        ({"page": {"url": "file:///index.html"}}, "email"),
        ({"device": {"type": "android"}, "os": {"version": "16"}}, "app"),
        ({"device": {"type": "android"}}, "email"),
        ({"device": {"type": "fridge"}, "os": {"version": "16"}}, "email"),
        ({}, "email"),
    ],
)
def test_where_an_event_comes_from_is_told_by_what_meta_requires_of_it(context: dict[str, Any], source: str):
    body = told(settings(action_source="email"), context=context)

    assert body["action_source"] == source
    assert ("event_source_url" in body) == (source == "website")
    assert ("app_data" in body) == (source == "app")


def test_limited_data_use_is_the_settings_unless_the_sender_says_otherwise():
    limited = settings(limited_data_use=True)
    refusing = {"Facebook Conversions API": {"limited_data_use": False}}

    assert told(limited)["data_processing_options"] == ["LDU"]
    assert "data_processing_options" not in told(limited, integrations=refusing)
    assert "data_processing_options" not in told()


def request_of(*bodies: bytes, **more: Any) -> Request:
    payloads = [Payload(f"m{n}", body) for n, body in enumerate(bodies)]
    return META.request(payloads, settings(**more), Sending(0))


def test_the_bodies_are_sent_as_they_are():
    assert request_of(b'{"n":1.0}', b'{"n":2}').body == b'{"data":[{"n":1.0},{"n":2}]}'
    assert request_of(b"{}", test_event_code="TEST1").body == b'{"data":[{}],"test_event_code":"TEST1"}'


def test_the_token_is_in_no_address():
    request = request_of(b"{}", base_url="https://proxy.example/graph/")

    assert request.url == "https://proxy.example/graph/v25.0/1/events"
    assert request.headers["authorization"] == "Bearer s3cret"


def test_the_limits_are_metas():
    lower = settings(batch=BatchSettings(max_events=50))

    assert META.batch_events(settings()) == 1000
    assert META.batch_events(lower) == 50
    assert META.age_limit_s(settings()) == 7 * 86_400
    assert META.category == "marketing"


@pytest.mark.parametrize("code", [4, 17, 32, 341, 613, 80_000, 80_003, 80_004, 80_014])
def test_too_many_calls_are_tried_again(code: int):
    assert read(400, code) == Retry(f"Meta {code}; Words")
    assert META.classify(
        Response(403, {"retry-after": "60"}, json.dumps({"error": {"code": code}}).encode()), []
    ) == Retry(f"Meta {code}", 60)


@pytest.mark.parametrize("code", [1, 2, 368, 5000, 21_009, -1])
def test_what_meta_calls_temporary_is_tried_again(code: int):
    assert read(400, code) == Retry(f"Meta {code}; Words")


def test_an_error_that_says_it_is_transient_is_tried_again():
    assert read(400, 100, is_transient=True) == Retry("Meta 100; Words")
    assert read(503, 999) == Retry("Meta 999; Words")


@pytest.mark.parametrize("code", [3, 10, 102, 104, 190, 200, 294, 299, 2635])
def test_tokens_permissions_and_dead_versions_need_the_owner(code: int):
    assert read(400, code) == Halt(f"Meta {code}; Words")


def test_a_pixel_that_is_not_there_needs_the_owner():
    assert read(400, 100, error_subcode=33) == Halt("Meta 100/33; Words")


def test_an_unknown_code_is_read_by_the_status():
    assert read(401, 999) == Halt("Meta 999; Words")
    assert read(500, 100) == Retry("Meta 100; Words")
    assert read(400, 105) == Reject("Meta 105; Words")


def test_a_refused_event_is_refused_in_metas_words():
    refused = read(400, 100, error_subcode=2804003, error_user_title="Event too old", error_user_msg="7 days")

    assert refused == Reject("Meta 100/2804003; Event too old; 7 days; Words")


def test_no_token_that_meta_quotes_gets_into_a_reason():
    token = "EAAG" + "x1" * 90

    assert read(400, 190, message=f"Malformed access token {token}") == Halt("Meta 190; Malformed access token ...")


def test_a_count_that_falls_short_is_no_success():
    assert read(200, events_received=2, sent=2) == Delivered()
    assert read(200, events_received=1, sent=2) == Reject("Meta received 1 of 2 events")
    assert read(200) == Delivered()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixel_id", "abc"),
        ("pixel_id", ""),
        ("access_token", ""),
        ("api_version", "25"),
        ("base_url", "graph.facebook.com"),
        ("test_event_code", 'TEST"'),
        ("currency", "euro"),
        ("phone_country", "Germany"),
        ("content_type", "destination"),
        ("action_source", "website"),
        ("data_processing_country", 2),
        ("data_processing_state", 1000),
        ("data_processing_state", 5),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: object):
    with pytest.raises(ValidationError):
        settings(**{key: value})
