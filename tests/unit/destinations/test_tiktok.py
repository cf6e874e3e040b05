"""TikTok's Events API 2.0: what is hashed, what events are called, and answers whose status says little."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import BatchSettings
from gateway.destinations.contract import Message, Payload, Sending
from gateway.destinations.http_messages import Response
from gateway.destinations.tiktok import TIKTOK, TiktokSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import BOOTS, SOCKS, seen

PAGE = {"page": {"url": "https://shop.example/"}}
HASH = "A" * 64


def settings(**more: Any) -> TiktokSettings:
    return TiktokSettings.model_validate({"pixel_code": "C1", "access_token": "s3cret", **more})


def messages(chosen: TiktokSettings | None = None, **fields: Any) -> list[Message]:
    raw = {"messageId": "m1", "type": "track", "event": "Order Updated", "userId": "u1", "context": PAGE, **fields}
    return list(TIKTOK.map(seen(raw), chosen or settings()))


def told(chosen: TiktokSettings | None = None, **fields: Any) -> dict[str, Any]:
    (message,) = messages(chosen, **fields)
    body: dict[str, Any] = message.body
    return body


def read(status: int, code: int, message: str = "Words") -> Outcome:
    body = json.dumps({"code": code, "message": message, "request_id": "r", "data": {}}).encode()
    return TIKTOK.classify(Response(status, {}, body), [Payload("m", b"{}")])


def test_names_addresses_and_ids_are_hashed_and_places_are_not():
    traits = {
        "email": " ALICE_abc@gmail.com ",
        "phone": "(+1)2133734253",
        "firstName": HASH,
        "address": {"city": "São Paulo", "state": "SP", "postalCode": HASH, "country": "BR"},
    }

    user = told(userId="user_123", context={**PAGE, "traits": traits})["user"]

    assert user["email"] == "848a771458438fc2ec420560d769fb9b9b86851ee338ec56517baabd79d3bb4f"
    assert user["phone"] == "9f7ec22d72092cd3c0b58726ed9c2d91b92e51a3f29837508fb2948bb22dd2fd"
    assert user["external_id"] == "80fba0ae1c48e3978e43e4efc365e14e12ea0c830ba8ba5b9a2dafc7e3f2ab8b"
    assert (user["first_name"], user["zip_code"]) == (HASH.lower(), HASH.lower())
    assert (user["city"], user["state"], user["country"]) == ("sãopaulo", "sp", "br")


def test_a_phone_number_of_no_country_is_left_out():
    traits = {"phone": "030 901820"}

    assert "phone" not in told(context={**PAGE, "traits": traits})["user"]
    assert "phone" in told(settings(phone_country="DE"), context={**PAGE, "traits": traits})["user"]


def test_nothing_is_sent_of_nobody():
    event = seen({"messageId": "m1", "type": "track", "event": "X", "context": PAGE})
    event["context"] = PAGE

    assert list(TIKTOK.map(event, settings())) == []


@pytest.mark.parametrize("kind", ["page", "track"])
def test_every_event_has_the_id_of_the_pixels_copy(kind: str):
    assert told(type=kind)["event_id"] == "m1"
    assert told(type=kind, properties={"event_id": "pixel-7"})["event_id"] == "pixel-7"


@pytest.mark.parametrize(
    ("own", "name", "is_repaired"),
    [
        ("Order Completed", "Purchase", False),
        ("completed_order", "Purchase", False),
        ("SubmitApplication", "SubmitApplication", False),
        ("Level Reached", "Level_Reached", False),
        ("user-opened_door", "user-opened_door", False),
        ("Offer: 50%!", "Offer_50", True),
        ("1st Visit", "st_Visit", True),
        ("x" * 60, "x" * 50, True),
    ],
)
def test_names_are_tiktoks_or_put_into_the_letters_that_it_takes(own: str, name: str, is_repaired: bool):
    (message,) = messages(event=own)

    assert message.body["event"] == name
    assert message.repairs == (("event_name_changed",) if is_repaired else ())


def test_a_name_without_a_letter_that_tiktok_takes_needs_another_one():
    with pytest.raises(ValueError, match="under `events`"):
        messages(event="Заказ")

    assert told(settings(events={"Заказ": "Purchase"}), event="Заказ")["event"] == "Purchase"


def test_an_event_without_a_page_is_refused_in_words_unless_the_settings_have_one():
    with pytest.raises(ValueError, match="set page_url"):
        messages(context={})

    assert told(settings(page_url="https://shop.example/"), context={})["page"] == {"url": "https://shop.example/"}


def test_what_comes_from_an_app_has_no_counterpart():
    assert messages(context={"device": {"type": "Android"}}) == []
    assert messages(type="screen", name="Start") == []


def test_the_click_of_the_address_counts_before_the_cookies():
    context = {"page": {"url": "https://shop.example/?ttclid=new"}, "cookies": {"ttclid": "old", "_ttp": "p"}}

    user = told(context=context)["user"]

    assert (user["ttclid"], user["ttp"]) == ("new", "p")


def test_a_cart_is_worth_its_products_and_a_list_is_not():
    assert told(event="Product Added", properties=BOOTS)["properties"]["value"] == 80
    assert "value" not in told(event="Product List Viewed", properties={"products": [BOOTS, SOCKS]})["properties"]


def test_properties_that_tiktok_has_no_parameter_for_stay_here():
    assert "properties" not in told(event="Level Reached", properties={"level": 7, "email": "ada@example.com"})


def test_limited_data_use_is_the_settings_unless_the_sender_says_otherwise():
    limited = settings(limited_data_use=True)
    refusing = {"TikTok Conversions": {"limited_data_use": False}}

    assert told(limited)["limited_data_use"] is True
    assert "limited_data_use" not in told(limited, integrations=refusing)
    assert "limited_data_use" not in told()


def test_the_bodies_are_sent_as_they_are_behind_their_pixel():
    request = TIKTOK.request([Payload("m1", b'{"n":1.0}'), Payload("m2", b"{}")], settings(), Sending(0))

    assert request.body == b'{"event_source":"web","event_source_id":"C1","data":[{"n":1.0},{}]}'
    assert request.url == "https://business-api.tiktok.com/open_api/v1.3/event/track/"
    assert request.headers["access-token"] == "s3cret"


def test_the_limits_are_tiktoks_and_test_events_go_one_by_one():
    assert TIKTOK.batch_events(settings()) == 1000
    assert TIKTOK.batch_events(settings(batch=BatchSettings(max_events=50))) == 50
    assert TIKTOK.batch_events(settings(test_event_code="TEST1")) == 1
    assert TIKTOK.age_limit_s(settings()) == 7 * 86_400
    assert TIKTOK.age_limit_s(settings(max_age="28d")) == 28 * 86_400


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (200, 0, Delivered()),
        (500, 0, Retry("HTTP 500")),
        (401, 40100, Retry("TikTok 40100: Words")),
        (200, 40100, Retry("TikTok 40100: Words")),
        (200, 40700, Retry("TikTok 40700: Words")),
        (200, 50000, Retry("TikTok 50000: Words")),
        (503, 99999, Retry("TikTok 99999: Words")),
        (200, 40001, Halt("TikTok 40001: Words")),
        (401, 40104, Halt("TikTok 40104: Words")),
        (200, 40105, Halt("TikTok 40105: Words")),
        (403, 99999, Halt("TikTok 99999: Words")),
        (200, 40002, Reject("TikTok 40002: Words")),
        (200, 20001, Reject("TikTok 20001: Words")),
    ],
)
def test_the_code_counts_more_than_the_status(status: int, code: int, outcome: Outcome):
    assert read(status, code) == outcome


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pixel_code", ""),
        ("pixel_code", 'C"'),
        ("access_token", ""),
        ("api_version", "1.3"),
        ("test_event_code", 'TEST"'),
        ("page_url", "shop.example"),
        ("currency", "euro"),
        ("phone_country", "Germany"),
        ("content_type", "destination"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: object):
    with pytest.raises(ValidationError):
        settings(**{key: value})
