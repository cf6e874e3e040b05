"""Klaviyo: who is told of, in which words, and how its answers are read."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations import Message, Response
from gateway.destinations.klaviyo import KLAVIYO, KlaviyoSettings, unique_id
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import seen

NOW = "2026-11-25T11:59:00.000Z"


def settings(**more: Any) -> KlaviyoSettings:
    return KlaviyoSettings(api_key="pk_s3cret", **more)


def mapped(event: dict[str, Any], **more: Any) -> list[Message]:
    return [*KLAVIYO.map(seen({"messageId": "m-1", "type": "track", "timestamp": NOW, **event}), settings(**more))]


def profile(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a track event says of the person."""
    (message,) = mapped({"event": "Signed Up", **event}, **more)
    who: dict[str, Any] = message.body["data"]["attributes"]["profile"]["data"]["attributes"]
    return who


def judged(status: int, body: Any = None, **headers: str) -> Outcome:
    raw = orjson.dumps(body) if body is not None else b""
    return KLAVIYO.classify(Response(status, {key.replace("_", "-"): value for key, value in headers.items()}, raw), [])


def test_nothing_is_told_of_somebody_who_cannot_be_named():
    assert mapped({"event": "Signed Up", "anonymousId": "visitor-1"}) == []


def test_an_address_in_a_hash_names_nobody_to_klaviyo():
    assert mapped({"event": "Signed Up", "context": {"traits": {"email": "a" * 64, "phone": "b" * 64}}}) == []


def test_an_address_that_is_too_long_for_klaviyo_is_left_out():
    traits = {"email": f"{'a' * 88}@shop.example"}

    assert profile({"userId": "user-1", "context": {"traits": traits}}) == {"external_id": "user-1"}


@pytest.mark.parametrize(
    ("traits", "default_country", "number"),
    [
        ({"phone": "+49 30 901820"}, "", "+4930901820"),
        ({"phone": "030 901820"}, "DE", "+4930901820"),
        ({"phone": "06 12 34 56 78", "address": {"country": "FR"}}, "DE", "+33612345678"),
        ({"phone": "030 901820"}, "", None),
        ({"phone": "no number"}, "DE", None),
    ],
)
def test_a_telephone_number_is_e164_or_is_left_out(traits: dict[str, Any], default_country: str, number: str | None):
    who = profile({"userId": "user-1", "context": {"traits": traits}}, default_country=default_country)

    assert who.get("phone_number") == number


def test_the_address_of_somebody_whom_a_user_invites_is_not_the_users():
    invited = {"event": "Invite Sent", "userId": "user-1", "properties": {"email": "friend@shop.example"}}

    assert profile(invited) == {"external_id": "user-1"}


def test_a_guest_is_known_by_the_address_of_the_checkout():
    guest = {"event": "Coupon Entered", "anonymousId": "v-1", "properties": {"email": "guest@shop.example"}}

    assert profile(guest) == {"email": "guest@shop.example"}


def test_the_address_of_a_group_is_not_the_persons():
    group = {"type": "group", "groupId": "g1", "traits": {"name": "Acme", "email": "office@acme.example"}}

    assert mapped(group) == []


def test_pages_are_told_only_where_the_owner_wants_it():
    page = {"type": "page", "userId": "user-1", "name": "Home"}

    assert mapped(page) == []
    assert len(mapped(page, page_views=True)) == 1


def test_an_alias_has_no_counterpart():
    assert mapped({"type": "alias", "userId": "user-1", "previousId": "visitor-1"}) == []


def test_each_line_of_an_order_has_an_id_of_its_own_that_stays_the_same():
    order = {
        "event": "Order Completed",
        "userId": "user-1",
        "properties": {"order_id": "o-1", "products": [{"sku": "a"}, {"sku": "a"}]},
    }

    ids = [message.body["data"]["attributes"]["unique_id"] for message in mapped(order)]

    assert ids == ["m-1", "m-1:0", "m-1:1"]


def test_an_id_that_is_too_long_for_klaviyo_is_hashed():
    long = "x" * 256

    assert unique_id("x" * 255) == "x" * 255
    assert len(unique_id(long)) == 64
    assert len({unique_id(long), unique_id(long, 0), unique_id(long, 1), unique_id(long)}) == 3


def test_what_klaviyo_would_refuse_in_an_event_is_cut_or_left_out_and_counted():
    properties = {"text": "x" * 100_001, **{f"key_{n}": n for n in range(401)}}
    (message,) = mapped({"event": "e" * 130, "userId": "user-1", "properties": properties})

    attributes = message.body["data"]["attributes"]
    assert attributes["metric"]["data"]["attributes"]["name"] == "e" * 127
    assert [*attributes["properties"]] == [f"key_{n}" for n in range(400)]
    assert message.repairs == ["name_cut", "property_left_out"]


@pytest.mark.parametrize(
    ("properties", "default_currency", "money"),
    [
        ({"value": 12, "currency": "eur"}, "USD", {"value": 12, "value_currency": "EUR"}),
        ({"revenue": "12.50"}, "USD", {"value": 12.5, "value_currency": "USD"}),
        ({"value": 0}, "", {"value": 0}),
        ({"value": "much"}, "USD", {}),
    ],
)
def test_an_amount_comes_with_its_currency(properties: dict[str, Any], default_currency: str, money: dict[str, Any]):
    event = {"event": "Subscription Created", "userId": "user-1", "properties": properties}

    (message,) = mapped(event, default_currency=default_currency)

    attributes = message.body["data"]["attributes"]
    assert {key: attributes[key] for key in ("value", "value_currency") if key in attributes} == money


def test_events_are_sent_one_by_one():
    assert KLAVIYO.batch_events(settings(), "events") == 1


def test_a_refusal_says_what_and_where():
    error = {
        "id": "a1",
        "status": 400,
        "code": "invalid",
        "title": "Invalid input.",
        "detail": "Invalid email address.",
        "source": {"pointer": "/data/attributes/profile/data/attributes/email"},
    }

    outcome = judged(400, {"errors": [error]})

    assert outcome == Reject("HTTP 400: Invalid email address. (/data/attributes/profile/data/attributes/email)")


def test_of_many_complaints_the_first_three_are_shown():
    assert judged(400, {"errors": [{"title": f"no {n}"} for n in range(5)]}) == Reject("HTTP 400: no 0; no 1; no 2")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Delivered()),
        (201, Delivered()),
        (202, Delivered()),
        (401, Halt("HTTP 401")),
        (403, Halt("HTTP 403")),
        (409, Reject("HTTP 409: A profile already exists with one of these identifiers. (/data/attributes)")),
        (410, Halt("HTTP 410: this revision of the API is retired")),
        (429, Retry("HTTP 429", 13)),
        (503, Retry("HTTP 503", 13)),
    ],
)
def test_what_an_answer_means(status: int, outcome: Outcome):
    detail = "A profile already exists with one of these identifiers."
    body = {"errors": [{"detail": detail, "source": {"pointer": "/data/attributes"}}]}

    assert judged(status, body, retry_after="13") == outcome


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("revision", "latest"),
        ("revision", "2026-10"),
        ("default_country", "Germany"),
        ("default_country", "de"),
        ("default_currency", "euro"),
        ("base_url", "a.klaviyo.com"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: str):
    with pytest.raises(ValidationError):
        settings(**{key: value})


def test_the_key_is_tried_by_asking_whose_it_is():
    assert KLAVIYO.probe is not None
    probe = KLAVIYO.probe(settings(revision="2026-07-15"))

    assert (probe.method, probe.url, probe.body) == ("GET", "https://a.klaviyo.com/api/accounts", b"")
    assert probe.headers["authorization"] == "Klaviyo-API-Key pk_s3cret"
    assert probe.headers["revision"] == "2026-07-15"
