"""What gtag.js sends, and what becomes of it."""

from typing import Any

import orjson
import pytest

from gateway.collect.dialects.ga4 import GTAG
from gateway.collect.dialects.ga4_consent import in_query
from gateway.collect.dialects.translation import Translation
from gateway.collect.judge import Rules

RULES = Rules("", 100_000, 1_000_000, lambda: "generated")


def tagged(body: str = "", /, **query: str) -> list[dict[str, Any]]:
    """The events of a request of gtag's."""
    result = GTAG.translate(body.encode(), {"v": "2", "tid": "G-1", "cid": "c", **query})
    assert isinstance(result, Translation), result
    return orjson.loads(orjson.dumps(result.events))


# The Measurement Protocol.


def test_an_event_of_gtag():
    (event,) = tagged(
        en="purchase",
        uid="u",
        sid="1700000000",
        _s="3",
        _p="77",
        _et="1200",
        dl="https://shop.example/mugs?utm_source=news",
        dr="https://google.example/",
        dt="Mugs",
        ul="en-us",
        sr="1280x720",
        cu="EUR",
        gcs="G101",
        **{"ep.coupon": "SPRING", "epn.value": "19.96", "epn.odd": "1e", "up.plan": "pro", "upn.age": "5"},
        pr1="idSKU-1~nmMug~pr9.98~qt2~brFake~caHome~c2Kitchen~vaBlue~k0size~v0L",
        pr2="nmA~~B~lp2",
    )

    page = {
        "url": "https://shop.example/mugs?utm_source=news",
        "path": "/mugs",
        "search": "?utm_source=news",
        "referrer": "https://google.example/",
        "title": "Mugs",
    }
    assert event.pop("messageId").startswith("ga4-")
    assert event == {
        "type": "track",
        "event": "purchase",
        "anonymousId": "c",
        "userId": "u",
        "properties": {
            "coupon": "SPRING",
            "value": 19.96,
            "odd": "1e",
            "currency": "EUR",
            "engagement_time_msec": 1200,
            "items": [
                {
                    "item_id": "SKU-1",
                    "item_name": "Mug",
                    "price": 9.98,
                    "quantity": 2,
                    "item_brand": "Fake",
                    "item_category": "Home",
                    "item_category2": "Kitchen",
                    "item_variant": "Blue",
                    "size": "L",
                },
                {"item_name": "A~B", "index": 2},
            ],
        },
        "context": {
            "library": {"name": "gtag"},
            "page": page,
            "campaign": {"source": "news"},
            "locale": "en-us",
            "screen": {"width": 1280, "height": 720},
            "sessionId": "1700000000",
            "traits": {"plan": "pro", "age": 5},
            "consent": {
                "categoryPreferences": {
                    "ad_storage": False,
                    "analytics_storage": True,
                    "analytics": True,
                    "marketing": False,
                }
            },
            "ga4": {"v": "2", "_s": "3", "_p": "77", "gcs": "G101"},
        },
    }


def test_a_page_view_of_gtag_is_a_page():
    (event,) = tagged(en="page_view", dl="https://shop.example/", **{"ep.author": "A"})

    assert (event["type"], "event" in event) == ("page", False)
    assert event["properties"] == {"url": "https://shop.example/", "path": "/", "author": "A"}


def test_each_line_of_a_body_is_an_event_and_the_query_is_shared():
    first, second = tagged(
        "en=page_view&dt=Mine\r\n\r\nen=scroll&epn.percent_scrolled=90", dl="https://x.example/", dt="T"
    )

    assert (first["type"], first["context"]["page"]["title"]) == ("page", "Mine")
    assert (second["event"], second["properties"]) == ("scroll", {"percent_scrolled": 90})
    assert second["context"]["page"] == {"url": "https://x.example/", "path": "/", "title": "T"}


def test_the_key_of_gtag_is_the_secret_or_else_the_stream_and_is_left_out():
    with_secret = GTAG.translate(b"", {"en": "e", "tid": "G-1", "api_secret": "s"})
    without = GTAG.translate(b"", {"en": "e", "tid": "G-1"})

    assert (with_secret.write_key, without.write_key) == ("s", "G-1")
    assert with_secret.events == without.events
    assert "ga4" not in without.events[0]["context"]


@pytest.mark.parametrize("body", [b"en=e\n" * 101, b"a=1&" * 300])
def test_too_much_at_once_is_refused(body: bytes):
    assert GTAG.translate(body, {"tid": "G-1"}).code == "invalid_events"


# Consent.


@pytest.mark.parametrize(
    ("gcs", "gcd", "known"),
    [
        ("", "", {}),
        ("G111", "", {"ad_storage": True, "analytics_storage": True}),
        ("G100", "", {"ad_storage": False, "analytics_storage": False}),
        ("G1-1", "", {"analytics_storage": True}),
        ("G1", "nonsense", {}),
        ("", "13l3l3l3l1", {}),
        ("G111", "13l3l3l3l1", {"ad_storage": True, "analytics_storage": True}),
        (
            "G111",
            "11t1r1n1v5",
            {"ad_storage": True, "analytics_storage": True, "ad_user_data": True, "ad_personalization": True},
        ),
        (
            "G100",
            "13p3q3m2u1l1",
            {"ad_storage": False, "analytics_storage": False, "ad_user_data": False, "ad_personalization": False},
        ),
        ("G101", "13p3r3l3l5", {"ad_storage": False, "analytics_storage": True}),
    ],
)
def test_gtags_consent_is_spelled_out(gcs: str, gcd: str, known: dict[str, bool]):
    assert in_query(gcs, gcd) == known


@pytest.mark.parametrize("other", [{"_s": "2"}, {"_p": "8"}, {"sid": "9"}, {"ep.x": "1"}, {"cid": "d"}])
def test_another_event_of_gtag_has_another_id(other: dict[str, str]):
    ((one,), (two,)) = tagged(en="e", _s="1", _p="7"), tagged(**{"en": "e", "_s": "1", "_p": "7", **other})

    assert one["messageId"] != two["messageId"]
