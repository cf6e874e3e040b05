"""LinkedIn: what is a conversion, by what a person is known, and answers that name the culprits in three ways."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.linkedin import LINKEDIN, LinkedInSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import AT_MS, seen

REQUIRED = {
    "access_token": "s3cret",
    "conversions": {"Order Completed": ["1"], "Signed Up": ["2", "3"], "Pricing": ["4"]},
}
AGAIN = Retry("refused together with an event that was at fault")


def mapped(event: dict[str, Any], **settings: Any) -> list[Message]:
    return [*LINKEDIN.map(seen({"messageId": "m-1", **event}), LinkedInSettings(**{**REQUIRED, **settings}))]


def told(**event: Any) -> dict[str, Any]:
    (message,) = mapped({"type": "track", "event": "Order Completed", **event})
    body: dict[str, Any] = message.body
    return body


def user_of(**event: Any) -> dict[str, Any]:
    user: dict[str, Any] = told(**event)["user"]
    return user


def ids_of(**event: Any) -> dict[str, str]:
    return {each["idType"]: each["idValue"] for each in user_of(**event)["userIds"]}


def classified(status: int, body: Any = None, sent: int = 3, **headers: str) -> Outcome:
    raw = b"" if body is None else json.dumps(body).encode()
    return LINKEDIN.classify(Response(status, headers, raw), [Payload(f"m-{n}", b"{}") for n in range(sent)])


def test_only_named_events_are_conversions():
    assert len(mapped({"type": "track", "event": "Order Completed"})) == 1
    assert len(mapped({"type": "track", "event": "completed_order"})) == 1
    assert len(mapped({"type": "page", "name": "Pricing"})) == 1
    assert mapped({"type": "track", "event": "Order Refunded"}) == []
    assert mapped({"type": "page", "name": "Home"}) == []
    assert mapped({"type": "identify", "name": "Pricing", "userId": "u-1"}) == []


def test_an_event_counts_for_each_of_its_rules_under_the_same_id():
    messages = mapped({"type": "track", "event": "Signed Up", "properties": {"event_id": "signup-7"}})

    assert [(message.body["conversion"], message.body["eventId"]) for message in messages] == [
        ("urn:lla:llaPartnerConversion:2", "signup-7"),
        ("urn:lla:llaPartnerConversion:3", "signup-7"),
    ]


def test_a_rule_may_be_written_as_its_urn():
    rule = "urn:lla:llaPartnerConversion:9"

    (message,) = mapped({"type": "track", "event": "Demo"}, conversions={"Demo": [rule]})

    assert message.body["conversion"] == rule


@pytest.mark.parametrize("email", ["Ada@Example.com", " ada@example.com\n"])
def test_an_email_address_is_hashed_in_lower_case(email: str):
    digest = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"

    assert ids_of(context={"traits": {"email": email}})["SHA256_EMAIL"] == digest


def test_what_is_hashed_already_is_not_hashed_again():
    digest = "B5FC85E55755F9E0D030A10AB4429B6B2944855F9A0D60077FE832BECBC41D72"

    assert ids_of(context={"traits": {"email": digest}})["SHA256_EMAIL"] == digest.lower()


@pytest.mark.parametrize(
    ("ip", "known"), [("192.168.0.1", "192.168.0.1"), ("2001:db8::1", None), ("999.1.1.1", None), ("somewhere", None)]
)
def test_an_address_is_sent_where_it_is_of_version_4(ip: str, known: str | None):
    assert ids_of(userId="u-1", context={"ip": ip}).get("PLAINTEXT_IP_ADDRESS") == known


def test_the_click_comes_before_the_cookie():
    cookies = {"li_fat_id": "from-cookie"}
    page = {"url": "https://shop.example/?li_fat_id=from-click"}

    assert ids_of(context={"cookies": cookies, "page": page})["LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID"] == "from-click"
    assert ids_of(context={"cookies": cookies})["LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID"] == "from-cookie"


def test_an_advertising_id_is_sent_of_android_and_unless_it_is_withheld():
    android = {"type": "android", "advertisingId": "38400000-8cf0-11bd-b23e-10b96e40000d"}

    assert ids_of(context={"device": android})["GOOGLE_AID"] == "38400000-8cf0-11bd-b23e-10b96e40000d"
    assert "GOOGLE_AID" not in ids_of(context={"device": {**android, "adTrackingEnabled": False}})
    assert "GOOGLE_AID" not in ids_of(context={"device": {**android, "type": "ios"}})


def test_names_go_along_in_plain_text_and_both_or_not_at_all():
    ada = {"firstName": "Ada", "lastName": "Lovelace", "company": "Engines", "address": {"country": "Germany"}}

    assert user_of(context={"traits": ada})["userInfo"] == {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "companyName": "Engines",
    }
    assert "userInfo" not in user_of(context={"traits": {**ada, "lastName": ""}})


def test_ids_are_there_be_they_none():
    user = user_of(userId="u-1", context={"ip": "2001:db8::1"})

    assert user == {
        "userIds": [],
        "externalIds": ["a24a7f55f278dd49fb1f99c5507800cb198a5bfe10fe2126cd0b25672152b0da"],
    }


def test_an_event_with_nothing_to_know_the_person_by_has_no_counterpart():
    event = {"type": "track", "event": "Order Completed", "messageId": "m-1", "context": {"userAgent": "T/1"}}

    assert LINKEDIN.map(event, LinkedInSettings(**REQUIRED)) == []


@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"total": 94.45, "currency": "eur"}, {"currencyCode": "EUR", "amount": "94.45"}),
        ({"revenue": "12.50"}, {"currencyCode": "USD", "amount": "12.5"}),
        ({"price": 3, "quantity": 2, "product_id": "1"}, {"currencyCode": "USD", "amount": "6"}),
        ({"total": 1e21}, {"currencyCode": "USD", "amount": "1000000000000000000000"}),
        ({"total": 0}, {"currencyCode": "USD", "amount": "0"}),
        ({"total": -5}, None),
        ({}, None),
    ],
)
def test_an_amount_is_a_text_without_exponent(properties: dict[str, Any], value: dict[str, str] | None):
    assert told(properties=properties).get("conversionValue") == value


def test_what_is_yet_to_come_happened_when_it_was_received():
    (message,) = mapped({"type": "track", "event": "Order Completed", "timestamp": "2026-11-25T12:00:30Z"})

    assert message.body["conversionHappenedAt"] == AT_MS
    assert message.repairs == ["future_time"]


def test_bodies_are_joined_as_they_are():
    request = LINKEDIN.request(
        [Payload("m-1", b'{"a": 1}'), Payload("m-2", b'{"b":2}')],
        LinkedInSettings(**REQUIRED, version="202609"),
        Sending(0),
    )

    assert request.body == b'{"elements":[{"a": 1},{"b":2}]}'
    assert request.headers["linkedin-version"] == "202609"
    assert request.headers["x-restli-method"] == "BATCH_CREATE"


def test_events_named_by_lines_are_refused_and_the_others_sent_again():
    """An answer of the real API: further lines are of the event that the line before them names."""
    missing = "field is required but not found and has no default value"
    message = (
        f"Index: 0, ERROR :: /conversionValue/amount :: {missing}\nERROR :: /user/userInfo/firstName :: {missing}\n"
        "Index: 2, ERROR :: /conversion :: Invalid Urn format. Invalid prefix.\n"
    )

    outcome = classified(422, {"message": message, "status": 422})

    assert outcome == Partial(
        [
            Reject(f"/conversionValue/amount :: {missing}; /user/userInfo/firstName :: {missing}"),
            AGAIN,
            Reject("/conversion :: Invalid Urn format. Invalid prefix."),
        ]
    )


def test_events_named_by_indices_are_refused_and_the_others_sent_again():
    """An answer of the real API, with more than one index."""
    message = "Conversion time should be within 90 days and not exceed current time, indices [0, 1] (0-indexed)."

    assert classified(400, {"message": message, "status": 400}) == Partial([Reject(message), Reject(message), AGAIN])


@pytest.mark.parametrize(
    "message",
    [
        "ERROR :: /quatsch :: unrecognized field found but not allowed",
        "Index: 7, ERROR :: /conversion :: Invalid Urn format.",
        "indices [] (0-indexed)",
    ],
)
def test_a_refusal_that_names_none_of_the_events_is_one_of_the_whole_request(message: str):
    assert classified(422, {"message": message, "status": 422}) == Reject(f"HTTP 422: {message}")


def test_an_answer_for_each_element_is_taken_at_its_word():
    elements = [
        {"status": 201},
        {"status": 422, "error": {"message": "Invalid Urn format."}},
        {"status": 429},
    ]

    assert classified(200, {"elements": elements}) == Partial(
        [Delivered(), Reject("HTTP 422: Invalid Urn format."), Retry("HTTP 429: ")]
    )
    assert classified(200, {"elements": [{"status": 201}] * 3}) == Delivered()
    assert classified(200, {"elements": [{"status": 422}]}) == Delivered()
    assert classified(201) == Delivered()


def test_a_version_that_is_served_no_more_pauses_and_says_what_to_do():
    body = {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 20241101 is not active"}

    assert classified(426, body) == Halt(
        "HTTP 426: NONEXISTENT_VERSION: Requested version 20241101 is not active;"
        " set `version` to one that LinkedIn serves"
    )
    assert isinstance(classified(426), Halt)


def test_a_rule_that_is_not_there_pauses_and_says_what_to_look_at():
    assert classified(403, {"message": "No ad accounts found", "status": 403}) == Halt(
        "HTTP 403: No ad accounts found; is each conversion rule there, and may the token use it?"
    )


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (
            401,
            {
                "status": 401,
                "serviceErrorCode": 65601,
                "code": "REVOKED_ACCESS_TOKEN",
                "message": "The token was revoked",
            },
            Halt("HTTP 401: REVOKED_ACCESS_TOKEN: The token was revoked"),
        ),
        (
            400,
            {"status": 400, "code": "VERSION_MISSING", "message": "A version"},
            Reject("HTTP 400: VERSION_MISSING: A version"),
        ),
        (429, {"status": 429, "code": "TOO_MANY_REQUESTS"}, Retry("HTTP 429", 7)),
        (500, {"message": "indices [0]"}, Retry("HTTP 500", 7)),
    ],
)
def test_answers_are_read_in_linkedins_words(status: int, body: dict[str, Any], outcome: Outcome):
    assert classified(status, body, **{"retry-after": "7"}) == outcome


def test_linkedins_limits():
    settings = LinkedInSettings(**REQUIRED)

    assert (LINKEDIN.batch_events(settings), LINKEDIN.batch_bytes(settings)) == (5000, 2_000_000)
    assert LINKEDIN.age_limit_s(settings) == 90 * 86_400
    assert settings.requests_per_second == 10


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("access_token", ""),
        ("conversions", {}),
        ("conversions", {"Order Completed": []}),
        ("conversions", {"Order Completed": ["urn:lla:llaConversionRule:1"]}),
        ("conversions", {"Order Completed": ["one"]}),
        ("version", "2026-08"),
        ("version", "202613"),
        ("default_currency", "eur"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: Any):
    with pytest.raises(ValidationError):
        LinkedInSettings(**{**REQUIRED, key: value})
