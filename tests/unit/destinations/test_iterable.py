"""Iterable: who users are, carts and purchases, and whom an answer with success means when it names somebody."""

import hashlib
import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.iterable import (
    ITERABLE,
    MERGE,
    TRACK,
    TRACK_PURCHASE,
    UPDATE_CART,
    UPDATE_EMAIL,
    UPDATE_USERS,
    IterableSettings,
)
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import seen

PRODUCT = {"product_id": "sku-1", "name": "Boots", "price": 40, "quantity": 2}
ADA = Payload("m1", b'{"userId":"ada","eventName":"x"}', TRACK)
BOB = Payload("m2", b'{"email":"Bob@example.com","eventName":"y"}', TRACK)


def settings(**more: Any) -> IterableSettings:
    return IterableSettings(api_key="s3cret", **more)


def mapped(raw: dict[str, Any], **more: Any) -> list[Message]:
    kind = {} if "type" in raw else {"type": "track", "event": "Signed In"}
    event = {**kind, "messageId": "m1", "timestamp": "2026-11-25T11:59:00Z", **raw}
    return list(ITERABLE.map(seen(event), settings(**more)))


def answered(status: int, said: object, *payloads: Payload, headers: dict[str, str] | None = None) -> Outcome:
    return ITERABLE.classify(Response(status, headers or {}, json.dumps(said).encode()), payloads or (ADA,))


@pytest.mark.parametrize(
    ("identify_by", "event", "user"),
    [
        ("user_id", {"userId": "u", "properties": {"email": "ada@example.com"}}, {"userId": "u"}),
        ("user_id", {"anonymousId": "a", "properties": {"email": "ada@example.com"}}, {"email": "ada@example.com"}),
        ("email", {"userId": "u", "properties": {"email": "ada@example.com"}}, {"email": "ada@example.com"}),
        ("email", {"userId": "u", "properties": {"email": "nonsense"}}, {"userId": "u"}),
    ],
)
def test_a_user_is_named_by_what_the_project_knows_them_by(
    identify_by: str, event: dict[str, Any], user: dict[str, str]
):
    (message,) = mapped(event, identify_by=identify_by)

    assert {key: value for key, value in message.body.items() if key in ("userId", "email", "preferUserId")} == user


@pytest.mark.parametrize(
    "event",
    [
        {"anonymousId": "a"},
        {"type": "identify", "anonymousId": "a", "traits": {"plan": "pro"}},
        {"event": "", "userId": "u"},
        {"type": "page", "name": "Home", "userId": "u"},
        {"type": "group", "userId": "u", "groupId": "g"},
        {"type": "alias", "userId": "u", "previousId": "a", "anonymousId": "a"},
        {"type": "alias", "userId": "u", "previousId": "u"},
        {"type": "alias", "userId": "u"},
    ],
)
def test_strangers_and_what_iterable_has_no_counterpart_of_are_not_told(event: dict[str, Any]):
    assert mapped(event) == []


def test_a_user_who_is_known_by_an_id_may_be_a_new_one():
    (message,) = mapped({"type": "identify", "userId": "u", "traits": {}})

    assert (message.body, message.key) == ({"userId": "u", "preferUserId": True, "dataFields": {}}, UPDATE_USERS)


@pytest.mark.parametrize(
    ("identify_by", "previous_id", "user_id", "key", "body"),
    [
        ("user_id", "a@x.org", "b@x.org", MERGE, {"sourceUserId": "a@x.org", "destinationUserId": "b@x.org"}),
        ("email", "a@x.org", "b@x.org", UPDATE_EMAIL, {"currentEmail": "a@x.org", "newEmail": "b@x.org"}),
        ("email", "u1", "b@x.org", MERGE, {"sourceUserId": "u1", "destinationEmail": "b@x.org"}),
        ("email", "a@x.org", "u2", MERGE, {"sourceEmail": "a@x.org", "destinationUserId": "u2"}),
    ],
)
def test_an_alias_merges_two_users_or_moves_an_address(
    identify_by: str, previous_id: str, user_id: str, key: str, body: dict[str, str]
):
    event = {"type": "alias", "userId": user_id, "previousId": previous_id}

    (message,) = mapped(event, identify_by=identify_by)

    assert (message.key, message.body) == (key, body)


def test_an_event_keeps_its_id_so_that_a_second_telling_changes_nothing():
    (short,), (long,) = mapped({"userId": "u"}), mapped({"userId": "u", "messageId": "m" * 513})

    assert short.body["id"] == "m1"
    assert long.body["id"] == hashlib.sha256(b"m" * 513).hexdigest()


def test_an_order_is_one_purchase_by_the_orders_id_or_the_messages():
    properties = {"total": 80, "products": [PRODUCT]}

    (named,) = mapped({"event": "Order Completed", "userId": "u", "properties": {**properties, "order_id": "o-1"}})
    (unnamed,) = mapped({"event": "Order Completed", "userId": "u", "properties": properties})

    assert (named.key, named.body["id"], unnamed.body["id"]) == (TRACK_PURCHASE, "o-1", "m1")


def test_an_order_whose_total_nobody_knows_is_an_event():
    (message,) = mapped({"event": "Order Completed", "userId": "u", "properties": {"order_id": "o-1"}})

    assert (message.key, message.body["eventName"]) == (TRACK, "Order Completed")


def test_a_product_without_a_price_is_left_out_of_the_purchase():
    properties = {"total": 80, "products": [PRODUCT, {"product_id": "sku-2"}, {"price": 1}]}

    (message,) = mapped({"event": "Order Completed", "userId": "u", "properties": properties})

    assert [item["id"] for item in message.body["items"]] == ["sku-1"]
    assert message.repairs == ("product_left_out",)


@pytest.mark.parametrize(
    "name", ["Product Added", "Product Removed", "Cart Viewed", "Cart Updated", "Checkout Started"]
)
def test_what_tells_the_whole_cart_updates_the_cart(name: str):
    messages = mapped({"event": name, "userId": "u", "properties": {"products": [PRODUCT]}})

    assert [message.key for message in messages] == [TRACK, UPDATE_CART]


def test_a_cart_can_become_empty():
    messages = mapped({"event": "Product Removed", "userId": "u", "properties": {"products": []}})

    assert messages[1].body["items"] == []


def test_one_product_is_not_the_cart():
    messages = mapped({"event": "Product Added", "userId": "u", "properties": PRODUCT})

    assert [message.key for message in messages] == [TRACK]


def test_only_users_and_events_go_many_at_once():
    assert ITERABLE.batch_events(settings(), TRACK) == 500
    assert ITERABLE.batch_events(settings(), UPDATE_USERS) == 500
    assert ITERABLE.batch_events(settings(), TRACK_PURCHASE) == 1
    assert ITERABLE.batch_events(settings(), MERGE) == 1


def test_the_probe_reads_the_names_of_fields():
    probe = ITERABLE.probe(settings())

    assert (probe.method, probe.url) == ("GET", "https://api.iterable.com/api/users/getFields")
    assert probe.headers == {"api-key": "s3cret"}


@pytest.mark.parametrize(
    ("failed", "verdicts"),
    [
        ({"invalidUserIds": ["ada"]}, [Reject("invalidUserIds"), Delivered()]),
        ({"forgottenEmails": ["bob@example.com"]}, [Delivered(), Reject("forgottenEmails")]),
        ({"notFoundEmails": ["bob@example.com"]}, [Delivered(), Reject("notFoundEmails")]),
    ],
)
def test_an_answer_with_success_names_users_who_were_not_taken(
    failed: dict[str, list[str]], verdicts: list[Delivered | Retry | Reject]
):
    said = {"successCount": 1, "failCount": 1, "invalidEmails": [], "failedUpdates": failed}

    assert answered(200, said, ADA, BOB) == Partial(verdicts)


def test_names_of_events_that_the_project_does_not_want_are_refused():
    said = {"successCount": 1, "failCount": 1, "disallowedEventNames": ["y"]}

    assert answered(200, said, ADA, BOB) == Partial([Delivered(), Reject("disallowedEventNames")])


def test_an_address_in_the_data_can_be_the_conflict():
    user = Payload("m1", b'{"userId":"ada","dataFields":{"email":"ada@example.com"}}', UPDATE_USERS)

    outcome = answered(200, {"failCount": 1, "failedUpdates": {"conflictEmails": ["ada@example.com"]}}, user)

    assert outcome == Partial([Reject("conflictEmails")])


@pytest.mark.parametrize(
    "said",
    [
        {"failCount": 1, "failedUpdates": {"invalidDataUserIds": ["ada"]}},
        {"failCount": 1, "failedUpdates": {}},
        {"failCount": 2, "failedUpdates": {"invalidUserIds": ["somebody"]}},
        {"failCount": 0, "disallowedEventNames": ["x"]},
    ],
)
def test_where_the_names_do_not_add_up_the_whole_is_sent_again_by_halves(said: object):
    assert isinstance(answered(200, said, ADA, ADA, BOB), Reject)


@pytest.mark.parametrize(
    ("status", "said", "outcome"),
    [
        (200, {"successCount": 1, "failCount": 0, "filteredOutFields": ["ada"], "createdFields": []}, Delivered()),
        (200, {"code": "Success", "msg": ""}, Delivered()),
        (200, {"code": "GenericError", "msg": "no"}, Reject('{"code": "GenericError", "msg": "no"}')),
        (
            400,
            {"code": "RequestFieldsTypesMismatched"},
            Reject('HTTP 400: {"code": "RequestFieldsTypesMismatched"}'),
        ),
        (401, {"code": "BadApiKey"}, Halt("HTTP 401")),
        (409, {"code": "ForgottenUserError"}, Reject('HTTP 409: {"code": "ForgottenUserError"}')),
        (429, {"code": "RateLimitExceeded", "params": {"rateLimitReset": 3}}, Retry("HTTP 429", 3)),
        (429, {"code": "RateLimitExceeded"}, Retry("HTTP 429")),
    ],
)
def test_other_answers(status: int, said: object, outcome: Outcome):
    assert answered(status, said) == outcome


def test_the_header_says_better_than_the_body_how_long_to_wait():
    said = {"params": {"rateLimitReset": 3}}

    assert answered(429, said, headers={"retry-after": "7"}) == Retry("HTTP 429", 7)


def test_many_share_a_request_as_they_are():
    request = ITERABLE.request([ADA, BOB], settings(), Sending(0))

    assert request.url == "https://api.iterable.com/api/events/trackBulk"
    assert request.body == b'{"events":[' + ADA.body + b"," + BOB.body + b"]}"


@pytest.mark.parametrize(("key", "value"), [("base_url", "api.iterable.com"), ("identify_by", "phone")])
def test_a_setting_that_could_not_work_is_refused(key: str, value: str):
    with pytest.raises(ValidationError):
        settings(**{key: value})
