"""Braze: users and visitors, its strict schemas, what it keeps, and how its answers are read."""

import json
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.config import BatchSettings
from gateway.destinations.braze import BRAZE, IDENTIFY, MERGE, TRACK, BrazeSettings
from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import seen

URL = "https://rest.fra-01.braze.eu"
PRODUCT = {"product_id": "sku-1", "name": "Boots", "price": 40, "quantity": 2}
ATTRIBUTE = Payload("m1", b'{"attributes":{"external_id":"u1","n":[{"events":{}}]}}', TRACK)
EVENT = Payload("m1", b'{"events":{"external_id":"u1","name":"x"}}', TRACK)
PURCHASE = Payload("m2", b'{"purchases":{"external_id":"u1","product_id":"p"}}', TRACK)


def settings(**more: Any) -> BrazeSettings:
    return BrazeSettings(api_key="s3cret", base_url=URL, **more)


def mapped(raw: dict[str, Any], **more: Any) -> list[Message]:
    kind = {} if "type" in raw else {"type": "track", "event": "Signed In"}
    event = {**kind, "messageId": "m1", "timestamp": "2026-11-25T11:59:00Z", **raw}
    return list(BRAZE.map(seen(event), settings(**more)))


def told(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The one event that it becomes."""
    (message,) = mapped({"userId": "u", **raw}, **more)
    event: dict[str, Any] = message.body["events"]
    return event


def attributes(**traits: Any) -> dict[str, Any]:
    (message,) = mapped({"type": "identify", "userId": "u", "traits": traits})
    kept: dict[str, Any] = message.body["attributes"]
    return {key: value for key, value in kept.items() if key != "external_id"}


def answered(status: int, said: object, *payloads: Payload, headers: dict[str, str] | None = None) -> Outcome:
    return BRAZE.classify(Response(status, headers or {}, json.dumps(said).encode()), payloads or (EVENT,))


def refusal(array: str, index: int) -> dict[str, Any]:
    return {"type": "'name' is required", "input_array": array, "index": index}


@pytest.mark.parametrize(
    ("event", "user"),
    [
        ({"userId": "u1", "anonymousId": "a1"}, {"external_id": "u1"}),
        (
            {"anonymousId": "a1", "properties": {"email": "ada@example.com"}},
            {
                "user_alias": {"alias_name": "a1", "alias_label": "anonymous_id"},
                "_update_existing_only": False,
            },
        ),
        ({"properties": {"email": "ada@example.com"}}, {"email": "ada@example.com"}),
    ],
)
def test_a_user_is_named_by_id_a_visitor_by_an_alias_whose_profile_may_be_new(
    event: dict[str, Any], user: dict[str, Any]
):
    (message,) = mapped(event)

    assert message.body["events"].items() >= user.items()


@pytest.mark.parametrize(
    "event",
    [
        {"properties": {"n": 1}},
        {"type": "identify", "traits": {}},
        {"userId": "u", "event": "$"},
        {"type": "page", "userId": "u", "name": "Home"},
        {"type": "group", "userId": "u", "groupId": "g"},
        {"type": "alias", "userId": "u", "previousId": "u"},
    ],
)
def test_what_names_nobody_or_is_not_asked_for_is_not_told(event: dict[str, Any]):
    assert mapped(event) == []


def test_a_visitor_becomes_the_user_before_the_users_attributes_are_told():
    messages = mapped({"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}})

    assert [message.key for message in messages] == [IDENTIFY, TRACK]


def test_traits_cannot_name_another_user():
    assert attributes(external_id="x", braze_id="y", user_alias={}, _update_existing_only=True, plan="pro") == {
        "plan": "pro"
    }


@pytest.mark.parametrize(
    ("trait", "kept"),
    [
        ({"gender": "other"}, {}),
        ({"gender": "o"}, {"gender": "O"}),
        ({"gender": "male"}, {"gender": "M"}),
        ({"birthday": "10 December"}, {}),
        ({"phone": "901820"}, {"phone": "901820"}),
        ({"country": "Germany"}, {"country": "Germany"}),
        ({"city": "Berlin"}, {"home_city": "Berlin"}),
        ({"tags": ["a", None]}, {"tags": ["a"]}),
        ({"team": {"name": None, "$size": 3}}, {"team": {"size": 3}}),
        ({"bio": "x" * 300}, {"bio": "x" * 255}),
    ],
)
def test_traits_are_put_into_brazes_words(trait: dict[str, Any], kept: dict[str, Any]):
    assert attributes(**trait) == kept


def test_what_is_cut_is_counted():
    (identified,) = mapped({"type": "identify", "userId": "u", "traits": {"bio": "x" * 256}})
    (happened,) = mapped({"userId": "u", "properties": {"$x": 1}})
    (whole,) = mapped({"userId": "u", "properties": {"x": 1, "gone": None}})

    assert identified.repairs == ("attribute_changed",)
    assert happened.repairs == ("property_changed",)
    assert whole.repairs == ()


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("Product Viewed", {"product_id": "sku-1", "name": "Boots"}),
        ("Product Added", PRODUCT),
        ("Checkout Started", {"value": 80, "products": [PRODUCT]}),
        ("Order Completed", {"order_id": "o-1", "total": 80}),
        ("Order Completed", {"order_id": "o-1", "total": -80, "products": [PRODUCT]}),
        ("Order Completed", {"order_id": "o-1", "total": 80, "products": [{"name": "no id", "price": 1}]}),
        ("Order Completed", {"total": 80, "products": [PRODUCT]}),
        ("Order Refunded", {"order_id": "o-1"}),
    ],
)
def test_what_a_schema_would_refuse_is_told_under_its_own_name(name: str, properties: dict[str, Any]):
    (message,) = mapped({"userId": "u", "event": name, "properties": properties})

    assert message.body["events"]["name"] == name
    assert message.body["events"]["properties"] == properties
    assert message.repairs == ("not_as_recommended",)


def test_older_names_of_the_spec_are_recommended_events_too():
    event = {"event": "Viewed Product", "properties": PRODUCT}

    assert told(event)["name"] == "ecommerce.product_viewed"


def test_an_address_that_is_too_long_to_be_kept_is_left_out_and_not_cut():
    event = {"event": "Product Viewed", "properties": {**PRODUCT, "url": "https://shop.example/" + "x" * 255}}

    assert "product_url" not in told(event)["properties"]


@pytest.mark.parametrize(("said", "told_as"), [(None, 1), (0, 1), (-2, 1), ("3", 3), (2.6, 3), (1e300, 10**9)])
def test_pieces_are_whole_and_at_least_one(said: object, told_as: int):
    properties = {"order_id": "o-1", "total": 80, "products": [{**PRODUCT, "quantity": said}]}

    (line,) = told({"event": "Order Completed", "properties": properties})["properties"]["products"]

    assert line["quantity"] == told_as


def test_an_order_without_a_reason_is_cancelled_for_an_unspecified_one():
    event = {"event": "Order Cancelled", "properties": {"order_id": "o-1", "products": [PRODUCT]}}

    assert told(event)["properties"]["cancel_reason"] == "unspecified"
    assert told(event)["properties"]["total_value"] == 80


def test_a_purchase_needs_a_price_or_the_order_a_total():
    unpriced = {"event": "Order Completed", "properties": {"products": [{"product_id": "sku-1"}]}}

    assert told(unpriced, commerce="purchases")["name"] == "Order Completed"


def test_attributes_events_and_purchases_share_a_request_without_being_decoded():
    request = BRAZE.request([EVENT, ATTRIBUTE, EVENT, PURCHASE], settings(), Sending(0))

    assert request.url == f"{URL}/users/track"
    assert request.body == (
        b'{"events":[{"external_id":"u1","name":"x"},{"external_id":"u1","name":"x"}],'
        b'"attributes":[{"external_id":"u1","n":[{"events":{}}]}],'
        b'"purchases":[{"external_id":"u1","product_id":"p"}]}'
    )


@pytest.mark.parametrize("key", [TRACK, IDENTIFY, MERGE])
def test_messages_become_members_of_the_arrays_that_the_endpoint_has(key: str):
    event = {"userId": "u1", "anonymousId": "a1", "previousId": "u0", "traits": {}}
    messages = [*mapped({"type": "identify", **event}), *mapped({"type": "alias", **event})]
    payloads = [Payload("m", orjson.dumps(each.body), each.key) for each in messages if each.key == key]

    request = BRAZE.request(payloads, settings(), Sending(0))

    (members,) = json.loads(request.body).values()
    assert len(members) == 1
    assert request.url == f"{URL}/{key}"


def test_the_vendors_limits_are_objects_in_all():
    assert BRAZE.batch_events(settings(), TRACK) == 75
    assert BRAZE.batch_events(settings(), IDENTIFY) == 50
    assert BRAZE.batch_events(settings(batch=BatchSettings(max_events=50)), TRACK) == 50


def test_errors_speak_of_members_by_array_and_place():
    outcome = answered(
        201,
        {"message": "success", "errors": [refusal("events", 1), refusal("purchases", 0)]},
        EVENT,
        ATTRIBUTE,
        EVENT,
        PURCHASE,
    )

    refused = Reject("'name' is required")
    assert outcome == Partial([Delivered(), Delivered(), refused, refused])


@pytest.mark.parametrize("error", ["x", {}, {"type": "x"}, refusal("events", 7), refusal("attributes", 0)])
def test_what_was_taken_is_never_sent_again_even_where_it_is_not_said_which_was_not(error: object):
    outcome = answered(201, {"message": "success", "errors": [error]}, EVENT, EVENT)

    assert isinstance(outcome, Partial)
    assert [type(each) for each in outcome.items] == [Reject, Reject]


def test_identities_may_be_told_twice_so_the_culprit_is_looked_for():
    alias = Payload("m1", b'{"aliases_to_identify":{}}', IDENTIFY)

    assert isinstance(answered(201, {"message": "success", "errors": ["unknown external_id"]}, alias, alias), Reject)


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (201, {"message": "success", "events_processed": 1}, Delivered()),
        (202, {"message": "queued"}, Delivered()),
        (201, {}, Delivered()),
        (201, {"message": "no luck"}, Reject('{"message": "no luck"}')),
        (
            400,
            {"message": "Max Input Length Exceeded"},
            Reject('HTTP 400: {"message": "Max Input Length Exceeded"}'),
        ),
        (401, {"message": "Invalid API key: provided"}, Halt("HTTP 401")),
        (403, {}, Halt("HTTP 403")),
        (404, {"message": "Not Found"}, Halt('HTTP 404: {"message": "Not Found"}')),
        (500, {}, Retry("HTTP 500")),
    ],
)
def test_other_answers(status: int, said: object, outcome: Outcome):
    assert answered(status, said) == outcome


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-ratelimit-reset": "1795608017", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, 17),
        ({"x-ratelimit-reset": "1795607000", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, 0),
        ({"x-ratelimit-reset": "1795608017", "date": "Wed, 25 Nov 2026 12:00:00 GMT", "retry-after": "3"}, 3),
        ({"x-ratelimit-reset": "1795608017"}, None),
        ({"x-ratelimit-reset": "soon", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, None),
        ({"date": "whenever", "x-ratelimit-reset": "1795608017"}, None),
    ],
)
def test_a_throttled_request_waits_until_the_window_ends(headers: dict[str, str], wait_s: float | None):
    assert answered(429, {"message": "Rate Limited"}, headers=headers) == Retry("HTTP 429", wait_s)


@pytest.mark.parametrize(
    ("key", "value"),
    [("base_url", "rest.braze.eu"), ("currency", "euro"), ("commerce", "both"), ("alias_label", ""), ("source", "")],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: object):
    with pytest.raises(ValidationError):
        BrazeSettings(**{"api_key": "s3cret", "base_url": URL, key: value})


def test_braze_has_no_address_that_is_everybodys():
    with pytest.raises(ValidationError):
        BrazeSettings(api_key="s3cret")
