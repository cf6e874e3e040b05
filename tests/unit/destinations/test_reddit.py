"""Reddit: match keys as its page hashes them, amounts where it takes them, and answers that name the culprits."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.reddit import REDDIT, RedditSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import AT_MS, order, seen

REQUIRED = {"pixel_id": "a2_pixel", "access_token": "s3cret"}


def mapped(event: dict[str, Any], **settings: Any) -> list[Message]:
    return [*REDDIT.map(seen({"messageId": "m-1", **event}), RedditSettings(**REQUIRED, **settings))]


def told(event: dict[str, Any], **settings: Any) -> dict[str, Any]:
    (message,) = mapped(event, **settings)
    body: dict[str, Any] = message.body
    return body


def user_of(traits: dict[str, Any], **settings: Any) -> dict[str, Any]:
    user: dict[str, Any] = told({"type": "page", "context": {"traits": traits}}, **settings)["user"]
    return user


def track(name: str, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "userId": "u-1", "properties": properties}


def classified(status: int, body: Any = None, sent: int = 2, **headers: str) -> Outcome:
    raw = b"" if body is None else json.dumps(body).encode()
    return REDDIT.classify(Response(status, headers, raw), [Payload(f"m-{n}", b"{}") for n in range(sent)])


def refused(*fields: tuple[str, str]) -> dict[str, Any]:
    """The answer of the real API to invalid events."""
    listed = [{"field": field, "message": message} for field, message in fields]
    message = f"There were {len(fields)} invalid conversion events. None were processed."
    return {"error": {"code": 400, "message": message, "fields": listed}}


@pytest.mark.parametrize("email", ["alice@example.com", "Al.ice+Apple@Example.Com", " alice@example.com "])
def test_an_email_address_has_the_hash_that_reddit_publishes(email: str):
    assert user_of({"email": email})["email"] == "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976"


@pytest.mark.parametrize("email", ["+everything@example.com", "no address", ""])
def test_what_is_no_email_address_is_not_sent(email: str):
    assert "email" not in user_of({"email": email})


@pytest.mark.parametrize("phone", ["+15554441234", "+1 (555) 444-1234", "+1 555 444 1234 ext. 7"])
def test_a_phone_number_has_the_hash_that_reddit_publishes(phone: str):
    user = user_of({"phone": phone})

    assert user["phone_number"] == "e5b124c58580eb16bd959b8d0cac12b12c952e2ceae0203d416cff94f10b994a"


def test_a_number_without_country_code_is_one_of_the_persons_country_else_of_the_default():
    number = {"phone": "030 901820"}

    in_germany = user_of({"phone": "+49 30 901820"})["phone_number"]

    assert "phone_number" not in user_of(number)
    assert user_of(number, default_country="DE")["phone_number"] == in_germany
    assert user_of({**number, "address": {"country": "de"}}, default_country="US")["phone_number"] == in_germany


def test_what_is_hashed_already_is_not_hashed_again():
    digest = "FF8D9819FC0E12BF0D24892E45987E249A28DCE836A85CAD60E28EAAA8C6D976"

    assert user_of({"email": digest})["email"] == digest.lower()


@pytest.mark.parametrize(
    ("cookie", "uuid"),
    [
        ("1677712978045.b8f7eb7d-b357-437b-8bd3-e1c8166c7132", "1677712978045.b8f7eb7d-b357-437b-8bd3-e1c8166c7132"),
        ("b8f7eb7d-b357-437b-8bd3-e1c8166c7132", "b8f7eb7d-b357-437b-8bd3-e1c8166c7132"),
        ("1700000000.abcd-uuid", None),
        ("", None),
    ],
)
def test_a_uuid_that_reddit_would_refuse_is_left_out(cookie: str, uuid: str | None):
    event = {"type": "page", "context": {"cookies": {"_rdt_uuid": cookie}}}

    assert told(event)["user"].get("uuid") == uuid


@pytest.mark.parametrize(
    ("device", "key", "digest"),
    [
        ({"type": "ios"}, "idfa", "962da44fb91e0d1bacbb16ca1ab63b60d4e59d863051f86fb8e8fd5f5b0b2dfc"),
        ({"type": "Android"}, "aaid", "368f47126b460566acbf61e9673a8b34588ddacf51321eef58f024d37c393e9e"),
    ],
)
def test_an_advertising_id_is_hashed_in_upper_case_for_apple_and_in_lower_case_for_google(
    device: dict[str, Any], key: str, digest: str
):
    device = {**device, "advertisingId": "8a2e4f6d-0852-4B2A-b9d5-79334de14b16"}

    body = told({"type": "screen", "context": {"device": device}})

    assert body["user"][key] == digest
    assert body["action_source"] == "APP"
    assert not {"idfa", "aaid"} - {key} & body["user"].keys()


@pytest.mark.parametrize(
    "device",
    [
        {"type": "ios", "advertisingId": "8A2E4F6D-0852-4B2A-B9D5-79334DE14B16", "adTrackingEnabled": False},
        {"type": "ios", "advertisingId": "00000000-0000-0000-0000-000000000000"},
        {"type": "mobile", "advertisingId": "8A2E4F6D-0852-4B2A-B9D5-79334DE14B16"},
    ],
)
def test_an_advertising_id_that_its_owner_withholds_or_that_is_none_is_not_sent(device: dict[str, Any]):
    body = told({"type": "page", "context": {"device": device}})

    assert not {"idfa", "aaid"} & body["user"].keys()


def test_an_event_with_nothing_to_know_the_person_by_has_no_counterpart():
    event = {
        "type": "page",
        "messageId": "m-1",
        "timestamp": "2026-11-25T12:00:00Z",
        "context": {"screen": {"width": 9}},
    }

    assert REDDIT.map(event, RedditSettings(**REQUIRED)) == []
    assert len(REDDIT.map({**event, "properties": {"rdt_cid": "c-1"}}, RedditSettings(**REQUIRED))) == 1


@pytest.mark.parametrize("name", ["Product Viewed", "Product List Viewed", "Products Searched"])
def test_an_amount_is_left_out_where_reddit_refuses_it(name: str):
    metadata = told(track(name, product_id="sku-1", price=40, quantity=2, currency="EUR"))["metadata"]

    assert metadata == {"conversion_id": "m-1", "products": [{"id": "sku-1", "quantity": 2, "item_price": 40}]}


def test_amount_and_currency_come_together_or_not_at_all():
    assert told(track("Signed Up", value=3))["metadata"] == {"conversion_id": "m-1", "value": 3, "currency": "USD"}
    assert told(track("Signed Up", currency="EUR"))["metadata"] == {"conversion_id": "m-1"}
    assert told(track("Order Completed", total=-3, currency="EUR"))["metadata"] == {"conversion_id": "m-1"}
    assert told(track("Order Completed", total=0))["metadata"]["value"] == 0


def test_quantities_that_are_no_counts_are_left_out():
    metadata = told(track("Product Added", product_id="rope", price=2, quantity=1.5))["metadata"]

    assert "item_count" not in metadata
    assert metadata["products"] == [{"id": "rope", "item_price": 2}]


def test_a_custom_name_is_cut_where_reddit_would_refuse_it():
    (message,) = mapped(track("x" * 65))

    assert message.body["type"] == {"tracking_type": "CUSTOM", "custom_event_name": "x" * 64}
    assert message.repairs == ["name_cut"]
    assert mapped(track("x" * 64))[0].repairs == []


def test_what_is_yet_to_come_happened_when_it_was_received():
    (message,) = mapped({**track("Signed Up"), "timestamp": "2026-11-25T12:10:00Z"})

    assert message.body["event_at"] == AT_MS
    assert message.repairs == ["future_time"]


def test_the_owners_names_come_before_the_table():
    names = {"Signed Up": "LEAD", "Pricing": "VIEW_CONTENT", "Order Completed": "CUSTOM"}

    assert told(track("Signed Up"), events=names)["type"] == {"tracking_type": "LEAD"}
    assert told({"type": "page", "name": "Pricing"}, events=names)["type"] == {"tracking_type": "VIEW_CONTENT"}
    assert told(track("completed order"), events=names)["type"] == {
        "tracking_type": "CUSTOM",
        "custom_event_name": "completed order",
    }


def test_the_pixels_id_for_the_conversion_can_be_given():
    assert told(track("Signed Up", event_id="signup-7"))["metadata"]["conversion_id"] == "signup-7"


def test_all_events_can_be_said_to_be_of_a_shop_on_the_street():
    body = told(order(1), action_source="PHYSICAL_STORE")

    assert body["action_source"] == "PHYSICAL_STORE"
    assert "event_source_url" not in body


def test_bodies_are_joined_as_they_are():
    settings = RedditSettings(**REQUIRED)

    request = REDDIT.request([Payload("m-1", b'{"a": 1}'), Payload("m-2", b'{"b":2}')], settings, Sending(0))

    assert request.body == b'{"data":{"events":[{"a": 1},{"b":2}]}}'


def test_events_that_reddit_names_are_refused_and_the_others_sent_again():
    """An answer of the real API; what it says is of the event at that place."""
    words = "user.UUID: ... invalid UUID: UUID must be RFC-4122 compliant"

    outcome = classified(400, refused(("$.data.events[1].user.UUID", words)), sent=3)

    again = Retry("refused together with an event that was at fault")
    assert outcome == Partial([again, Reject(f"user.UUID: {words}"), again])


def test_all_that_is_wrong_with_an_event_is_said():
    body = refused(("$.data.events[0].type", "required"), ("$.data.events[0].event_at", "too old"))

    assert classified(400, body, sent=1) == Partial([Reject("type: required; event_at: too old")])


@pytest.mark.parametrize(
    "body",
    [
        refused(("$.data.events[7].type", "required")),
        refused(("$.data.test_id", "invalid")),
        refused(),
        {"error": {"code": 400, "message": "Bad Request", "fields": "x"}},
        {"error": {"code": 400, "message": "Bad Request", "fields": [None, {"field": 3}]}},
    ],
)
def test_a_refusal_that_names_none_of_the_events_is_one_of_the_whole_request(body: dict[str, Any]):
    assert classified(400, body) == Reject(f"HTTP 400: {body['error']['message']}")


@pytest.mark.parametrize(
    ("status", "message", "outcome"),
    [
        (401, "UNAUTHORIZED", Halt("HTTP 401: UNAUTHORIZED")),
        (
            403,
            "Missing adsconversions scope to post conversions to Pixel.",
            Halt("HTTP 403: Missing adsconversions scope to post conversions to Pixel."),
        ),
        (429, "Too many requests/events within timeframe.", Retry("HTTP 429", 7)),
        (500, "The service is currently unavailable. No conversion events were processed.", Retry("HTTP 500", 7)),
        (200, "", Delivered()),
    ],
)
def test_answers_are_read_in_reddits_words(status: int, message: str, outcome: Outcome):
    assert classified(status, {"error": {"code": status, "message": message}}, **{"retry-after": "7"}) == outcome


def test_reddits_limits():
    settings = RedditSettings(**REQUIRED)

    assert (REDDIT.batch_events(settings), REDDIT.batch_bytes(settings)) == (1000, 1_000_000)
    assert REDDIT.age_limit_s(settings) == 7 * 86_400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixel_id", "a2/other"),
        ("pixel_id", ""),
        ("access_token", ""),
        ("events", {"Demo": "lead"}),
        ("default_currency", "eur"),
        ("default_country", "Germany"),
        ("action_source", "website"),
        ("base_url", "ads-api.reddit.com"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: Any):
    with pytest.raises(ValidationError):
        RedditSettings(**{**REQUIRED, key: value})
