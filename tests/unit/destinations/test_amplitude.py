"""Amplitude: what its pages say, beside what the golden files show."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.destinations.amplitude import AMPLITUDE, AmplitudeSettings
from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Request, Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import ORDER, event, seen

OK = Response(200, {}, b'{"code":200,"events_ingested":1}')


def settings(**more: Any) -> AmplitudeSettings:
    return AmplitudeSettings.model_validate({"api_key": "s3cret", **more})


def messages(raw: dict[str, Any], **more: Any) -> list[Message]:
    return list(AMPLITUDE.map(seen(raw), settings(**more)))


def body_of(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    (message,) = messages(raw, **more)
    found: dict[str, Any] = message.body
    return found


def track(name: str = "Signed Up", **fields: Any) -> dict[str, Any]:
    return event(1, event=name, context={}, **fields)


def revenue_of(raw: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {key: body for key, body in body_of(raw, **more).items() if key in ("revenue", "revenueType", "currency")}


def told(users: Sequence[str], *answers: Response) -> tuple[Outcome, list[list[str]]]:
    """The outcome of an event of each user, and whose events each request held."""
    payloads = [Payload(f"m-{user}", json.dumps({"user_id": user}).encode(), "events") for user in users]
    assert AMPLITUDE.converse is not None
    conversation = AMPLITUDE.converse(payloads, settings(), Sending(0))
    asked, replies = [], iter(answers)
    try:
        request = next(conversation)
        while True:
            assert isinstance(request, Request)
            asked.append([each["user_id"] for each in json.loads(request.body)["events"]])
            request = conversation.send(next(replies))
    except StopIteration as end:
        return end.value, asked


def saying(status: int, **said: Any) -> Response:
    return Response(status, {}, json.dumps({"code": status, **said}).encode())


@pytest.mark.parametrize(
    ("user_id", "visitor_id", "ids", "repairs"),
    [
        ("user-1", "visitor-1", {"user_id": "user-1", "device_id": "visitor-1"}, []),
        (None, "visitor-1", {"device_id": "visitor-1"}, []),
        ("u1", "visitor-1", {"device_id": "visitor-1"}, ["refused_id"]),
        ("user-1", "{}", {"user_id": "user-1"}, ["refused_id"]),
        ("anonymous", "visitor-1", {"device_id": "visitor-1"}, ["refused_id"]),
    ],
)
def test_ids_that_amplitude_refuses_are_left_out(
    user_id: str | None, visitor_id: str, ids: dict[str, str], repairs: list[str]
):
    (message,) = messages(track(userId=user_id, anonymousId=visitor_id), min_id_length=5)

    assert {key: value for key, value in message.body.items() if key in ("user_id", "device_id")} == ids
    assert message.repairs == repairs


def test_an_event_of_nobody_is_not_told():
    assert messages(track(userId="undefined", anonymousId=None)) == []


def test_short_ids_are_told_unless_the_owner_wants_longer_ones():
    assert body_of(track(userId="7", anonymousId=None))["user_id"] == "7"


@pytest.mark.parametrize(
    ("context", "integrations", "session_id"),
    [
        ({"sessionId": 1795606800000}, {}, 1795606800000),
        ({"sessionId": 1795606800}, {}, 1795606800000),
        ({"sessionId": 1}, {"Amplitude": {"session_id": "1795606800000"}}, 1795606800000),
        ({}, {"Amplitude": True}, None),
        ({"sessionId": -1}, {}, None),
        ({"sessionId": "s1"}, {}, None),
    ],
)
def test_a_session_is_its_start_in_milliseconds(
    context: dict[str, Any], integrations: dict[str, Any], session_id: int | None
):
    raw = event(1, event="Signed Up", context=context, integrations=integrations)

    assert body_of(raw).get("session_id") == session_id


def test_only_the_tracks_that_the_owner_names_earn_anything():
    assert revenue_of(track("Order Completed", properties=ORDER)) == {
        "revenue": 85.5,
        "revenueType": "Purchase",
        "currency": "EUR",
    }
    assert revenue_of(track("order_completed", properties=ORDER))["revenue"] == 85.5
    assert revenue_of(track("Checkout Started", properties=ORDER)) == {}
    assert revenue_of(track("Order Updated", properties=ORDER)) == {}
    renewed = track("Subscription Renewed", properties={"revenue": 12})
    assert revenue_of(renewed) == {}
    assert revenue_of(renewed, revenue_events=["Subscription Renewed"]) == {"revenue": 12, "revenueType": "Purchase"}


def test_a_refund_takes_revenue_back_whatever_its_sign():
    for total in (40, -40):
        refund = track("Order Refunded", properties={"total": total, "currency": "EUR"})
        assert revenue_of(refund) == {"revenue": -40, "revenueType": "Refund", "currency": "EUR"}


def test_an_order_without_money_earns_nothing():
    assert revenue_of(track("Order Completed", properties={"order_id": "77"})) == {}


def test_an_order_is_told_in_one_sum_where_a_product_has_no_price():
    raw = track(
        "Order Completed", properties={"revenue": 85.5, "products": [{"product_id": "a", "price": 1}, {"sku": "b"}]}
    )

    assert revenue_of(raw, revenue_per_product=True)["revenue"] == 85.5


def test_products_of_one_order_have_insert_ids_of_their_own():
    told_of = messages(track("Order Completed", properties=ORDER), revenue_per_product=True)

    assert [message.body["insert_id"] for message in told_of] == ["msg-000001", "msg-000001-1", "msg-000001-2"]
    assert "revenue" not in told_of[0].body


def test_pages_and_screens_are_called_as_the_owner_says():
    page, screen = event(1, type="page", name="Home"), event(2, type="screen", name="Start")

    assert body_of(page)["event_type"] == "[Amplitude] Page Viewed"
    assert body_of(page, page_event="Viewed Page")["event_type"] == "Viewed Page"
    assert body_of(screen)["event_type"] == "[Amplitude] Screen Viewed"


def test_user_properties_are_touched_only_where_a_campaign_brought_the_visitor():
    raw = event(
        1, type="page", context={"page": {"url": "https://shop.example/", "referrer": "https://other.example/"}}
    )

    assert "user_properties" not in body_of(raw)


def test_groups_are_told_where_their_type_is_known_and_without_the_members_traits():
    raw = event(1, type="group", groupId="g1", context={"traits": {"email": "ada@example.com"}})

    assert messages(raw) == []
    assert [message.body["event_type"] for message in messages(raw, group_type="company")] == ["$identify"]


@pytest.mark.parametrize("fields", [{"previousId": "user-1"}, {"previousId": "lead-1", "userId": None}])
def test_an_alias_is_told_only_of_two_users_and_where_the_owner_says_so(fields: dict[str, Any]):
    there = {"user_mapping": "https://api.amplitude.com"}

    assert messages(event(1, type="alias", previousId="lead-1")) == []
    assert len(messages(event(1, type="alias", previousId="lead-1"), **there)) == 1
    assert messages(event(1, type="alias", **fields), **there) == []


def test_events_named_in_a_400_are_refused_and_the_rest_is_sent_again_at_once():
    """The words are those of the vendor's page."""
    refusal = saying(
        400,
        error="Invalid field values on some events",
        events_with_invalid_fields={"time": [0]},
        events_with_missing_fields={"event_type": [2]},
        events_with_invalid_id_lengths={"user_id": [3]},
    )

    outcome, asked = told(["a", "b", "c", "d", "e"], refusal, OK)

    assert asked == [["a", "b", "c", "d", "e"], ["b", "e"]]
    assert outcome == Partial(
        [
            Reject("events_with_invalid_fields: time"),
            Delivered(),
            Reject("events_with_missing_fields: event_type"),
            Reject("events_with_invalid_id_lengths: user_id"),
            Delivered(),
        ]
    )


def test_throttled_users_wait_half_a_minute_and_nobody_else_does():
    throttling = saying(
        429,
        error="Too many requests for some devices and users",
        eps_threshold=30,
        throttled_users={"b": 32},
        throttled_devices={},
        throttled_events=[1],
    )

    outcome, asked = told(["a", "b", "c"], throttling, OK)

    assert asked == [["a", "b", "c"], ["a", "c"]]
    assert outcome == Partial([Delivered(), Retry("throttled", 30), Delivered()])


def test_who_used_up_the_days_quota_is_refused():
    throttling = saying(429, throttled_events=[0, 1], exceeded_daily_quota_users={"b": 500_200})

    outcome, _ = told(["a", "b"], throttling)

    assert outcome == Partial([Retry("throttled", 30), Reject("exceeded daily quota")])


def test_silenced_events_are_refused_and_throttled_ones_of_the_same_answer_wait():
    silence = saying(
        400, error="Events silenced for device_id", silenced_events=[0], throttled_events=[2], silenced_devices=["d"]
    )

    outcome, asked = told(["a", "b", "c"], silence, OK)

    assert asked[1] == ["b"]
    assert outcome == Partial([Reject("silenced"), Delivered(), Retry("throttled", 30)])


@pytest.mark.parametrize(
    "second", [Response(500), Response(400), saying(400, events_with_invalid_fields={"time": [0]})]
)
def test_what_the_second_request_does_not_settle_is_tried_again(second: Response):
    outcome, asked = told(["a", "b", "c"], saying(400, silenced_events=[0]), second)

    assert len(asked) == 2
    assert isinstance(outcome, Partial)
    assert [type(item) for item in outcome.items] == [Reject, Retry, Retry]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (OK, Delivered()),
        (saying(413, error="Payload too large"), Reject('HTTP 413: {"code": 413, "error": "Payload too large"}')),
        (saying(429, error="Too many requests"), Retry("HTTP 429")),
        (Response(429, {"retry-after": "5"}), Retry("HTTP 429", 5)),
        (Response(503), Retry("HTTP 503")),
        (
            saying(400, error="Invalid JSON request body"),
            Reject('HTTP 400: {"code": 400, "error": "Invalid JSON request body"}'),
        ),
    ],
)
def test_an_answer_that_names_no_event_is_about_all_of_them(answer: Response, outcome: Outcome):
    assert told(["a", "b"], answer) == (outcome, [["a", "b"]])


def test_a_wrong_key_stops_everything_and_is_not_repeated():
    outcome, _ = told(["a"], saying(400, error="Invalid API key: 0123s3cret"))

    assert outcome == Halt("HTTP 400: Invalid API key")


@pytest.mark.parametrize("places", ["all", [9, -1], ["0"], None, {"0": 1}])
def test_places_that_make_no_sense_name_nobody(places: object):
    outcome, asked = told(["a"], saying(400, silenced_events=places, events_with_invalid_fields=[places]))

    assert isinstance(outcome, Reject)
    assert len(asked) == 1


def test_the_body_is_made_of_the_payloads_as_they_are():
    request = AMPLITUDE.request(
        [Payload("m", b'{"a":1}', "events"), Payload("n", b'{"b":2}', "events")], settings(), Sending(0)
    )

    assert isinstance(request, Request)
    assert request.body == b'{"api_key":"s3cret","options":{"min_id_length":1},"events":[{"a":1},{"b":2}]}'


def test_the_vendors_limits():
    chosen = settings(batch={"max_events": 9999, "max_bytes": "5MB"})

    assert AMPLITUDE.batch_events(chosen) == 2000
    assert AMPLITUDE.batch_bytes(chosen) == 990_000


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"api_key": "s3cret", "region": "in"},
        {"api_key": "s3cret", "min_id_length": 0},
        {"api_key": "s3cret", "user_mapping": "api.amplitude.com"},
    ],
)
def test_settings_that_could_not_work_are_refused(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        AmplitudeSettings.model_validate(given)
