"""Which origins may send, and what they are told."""

import pytest

from gateway.collect.cors import CACHE_ENTRIES, Cors, is_same_site, origin_rules

SHOP = "https://shop.example"


@pytest.mark.parametrize(
    ("listed", "origin", "is_allowed"),
    [
        ([SHOP], SHOP, True),
        ([SHOP], "HTTPS://Shop.Example", True),
        ([SHOP], "http://shop.example", False),
        ([SHOP], "https://shop.example:8443", False),
        ([SHOP], "https://shop.example.evil.example", False),
        ([SHOP], "https://evil.example/https://shop.example", False),
        ([SHOP], "null", False),
        (["https://*.shop.example"], "https://www.shop.example", True),
        (["https://*.shop.example"], "https://a.b.shop.example", True),
        (["https://*.shop.example"], "https://shop.example", False),
        (["https://*.shop.example"], "https://.shop.example", False),
        (["https://*.shop.example"], "https://evilshop.example", False),
        (["https://*.shop.example"], "https://evil.example/.shop.example", False),
        (["https://*.shop.example"], "https://evil.example?.shop.example", False),
        (["https://*.shop.example"], "http://www.shop.example", False),
        (["https://*.shop.example:8443"], "https://www.shop.example:8443", True),
        (["https://shop-*.example"], "https://shop-de.example", True),
        (["*"], SHOP, True),
        (["*"], "null", True),
        (["*"], "https://shop.example\r\nx: y", False),
        (["*"], "https://shop.example, https://other.example", False),
        ([], SHOP, False),
    ],
)
def test_an_origin_is_allowed_only_as_the_configuration_says(listed: list[str], origin: str | None, is_allowed: bool):
    assert origin_rules(listed).allow(origin) is is_allowed


def test_a_page_may_always_send_to_its_own_host():
    assert is_same_site("https://shop.example:8443", "Shop.example:8443")
    assert not is_same_site("https://shop.example", "gateway.example")
    assert not is_same_site("null", "")


def test_an_allowed_origin_is_answered_by_name_with_credentials():
    lines = Cors([origin_rules([]), origin_rules([SHOP])]).lines(SHOP)

    assert lines.decode().splitlines() == [
        f"Access-Control-Allow-Origin: {SHOP}",
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Expose-Headers: Retry-After",
        "Vary: Origin",
    ]


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_any_other_is_told_nothing(origin: str | None):
    cors = Cors([origin_rules([SHOP])])

    assert cors.lines(origin) == cors.preflight_lines(origin) == b"Vary: Origin\r\n"


def test_a_preflight_is_told_every_header_that_an_sdk_sends():
    lines = Cors([origin_rules([SHOP])]).preflight_lines(SHOP).decode()

    assert "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n" in lines
    assert "Access-Control-Max-Age: 7200\r\n" in lines
    assert "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-retry-attempt" in lines


def test_what_is_remembered_is_bounded():
    cors = Cors([origin_rules(["*"])])

    for number in range(3 * CACHE_ENTRIES):
        cors.lines(f"https://site{number}.example")

    assert len(cors._lines) <= CACHE_ENTRIES
