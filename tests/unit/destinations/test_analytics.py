"""What product analytics tools ask of every event alike."""

import pytest

from gateway.destinations.analytics import address, arrival, device, known_id, uuid_of
from tests.vendors.events import ENVELOPE, event, seen

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.4 Mobile/15E148 Safari/604.1"
)
PAGE = {"page": {"url": "https://shop.example/"}}


def test_an_id_that_names_nobody_is_none():
    assert known_id({"userId": "u1"}, "userId") == "u1"
    assert known_id({"userId": 7}, "userId") == "7"
    assert known_id({"userId": "undefined"}, "userId") is None
    assert known_id({"userId": "00000000-0000-0000-0000-000000000000"}, "userId") is None
    assert known_id({"userId": "E-Mail"}, "userId", ("e-mail",)) is None
    assert known_id({"userId": ["u1"]}, "userId") is None
    assert known_id({}, "userId") is None


def test_a_message_id_that_is_a_uuid_stays_and_any_other_becomes_one():
    assert uuid_of("0193591A-8F10-7C3E-A5D2-8B6F2F0C1D22") == "0193591a-8f10-7c3e-a5d2-8b6f2f0c1d22"
    assert uuid_of("order-77") == "0f219e68-20cd-5894-9b12-d1a35accc2c8"
    assert uuid_of("order-77", "-1") == "fcf37e16-131e-5e60-b00a-6db11f7ed836"


def test_what_is_made_of_one_event_has_ids_of_its_own():
    message_id = "0193591a-8f10-7c3e-a5d2-8b6f2f0c1d22"

    assert len({uuid_of(message_id), uuid_of(message_id, "-1"), uuid_of(message_id, "-2")}) == 3


def test_the_user_agent_of_a_page_tells_browser_system_and_phone():
    told = device(seen(event(1, context={**PAGE, "userAgent": IPHONE})))

    assert told == ("Mobile Safari", 17.4, "iOS", "17.4", "Apple", None, "iPhone")


def test_what_the_client_says_of_its_device_counts_before_its_user_agent():
    said = {
        **PAGE,
        "userAgent": IPHONE,
        "os": {"name": "iPadOS", "version": "18"},
        "device": {"manufacturer": "apple", "brand": "Apple", "model": "iPad14,1"},
    }

    told = device(seen(event(1, context=said)))

    assert told == ("Mobile Safari", 17.4, "iPadOS", "18", "apple", "Apple", "iPad14,1")


@pytest.mark.parametrize("agent", [IPHONE, "python-requests/2.32", "", "\x00" * 600])
def test_the_user_agent_of_a_server_or_an_app_is_no_browser(agent: str):
    told = device(seen(event(1, context={}), ENVELOPE._replace(user_agent=agent)))

    assert told == (None,) * 7


@pytest.mark.parametrize("value", [None, "", "https://[broken", "//", "not an address"])
def test_an_address_that_is_none_has_no_host(value: str | None):
    assert address(value).hostname is None


def test_a_campaign_is_the_one_of_the_context_and_a_click_id_the_one_of_the_page():
    context = {
        "campaign": {"source": "news", "medium": "email", "name": "winter", "term": "boots", "content": "top"},
        "page": {"url": "https://shop.example/?gclid=g1&fbclid=f1&other=1"},
    }

    assert arrival(seen(event(1, context=context))) == {
        "utm_source": "news",
        "utm_medium": "email",
        "utm_campaign": "winter",
        "utm_term": "boots",
        "utm_content": "top",
        "gclid": "g1",
        "fbclid": "f1",
    }
