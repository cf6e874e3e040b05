"""Browser, system and device of a User-Agent header and its client hints."""

from typing import Any

import pytest

from gateway.enrich.agent import Parser, describe_agent, open_parser

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/16.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36"
)
ANDROID_TABLET = ANDROID.replace(" Mobile", "")
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def parser() -> Parser:
    return open_parser()


@pytest.mark.parametrize(
    ("header", "browser", "system", "device"),
    [
        (
            IPHONE,
            {"name": "Mobile Safari", "version": "17.5"},
            {"name": "iOS", "version": "17.5"},
            {"type": "mobile", "manufacturer": "Apple", "model": "iPhone"},
        ),
        (
            IPAD,
            {"name": "Mobile Safari", "version": "16.5"},
            {"name": "iOS", "version": "16.5"},
            {"type": "tablet", "manufacturer": "Apple", "model": "iPad"},
        ),
        (
            ANDROID,
            {"name": "Chrome Mobile", "version": "142.0"},
            {"name": "Android", "version": "10"},
            {"type": "mobile"},
        ),
        (
            ANDROID_TABLET,
            {"name": "Chrome", "version": "142.0"},
            {"name": "Android", "version": "10"},
            {"type": "tablet"},
        ),
        (WINDOWS, {"name": "Firefox", "version": "145.0"}, {"name": "Windows", "version": "10"}, {"type": "desktop"}),
    ],
)
def test_what_a_header_says(
    parser: Parser, header: str, browser: dict[str, str], system: dict[str, str], device: dict[str, str]
):
    assert describe_agent(header, {}, parser) == {"browser": browser, "os": system, "device": device}


def test_a_crawlers_device_is_a_bot(parser: Parser):
    assert describe_agent(GOOGLEBOT, {}, parser)["device"]["type"] == "bot"


def test_hints_know_more_than_a_frozen_header(parser: Parser):
    hints = {
        "brands": [
            {"brand": "Not A(Brand", "version": "99"},
            {"brand": "Chromium", "version": "143"},
            {"brand": "Google Chrome", "version": "143"},
        ],
        "mobile": True,
        "platform": "Android",
        "platformVersion": "15",
        "model": "Pixel 9",
    }

    assert describe_agent(ANDROID, hints, parser) == {
        "browser": {"name": "Chrome", "version": "143"},
        "os": {"name": "Android", "version": "15"},
        "device": {"type": "mobile", "model": "Pixel 9"},
    }


def test_a_system_has_one_name_whoever_tells_of_it(parser: Parser):
    header = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"

    assert describe_agent(header, {}, parser)["os"]["name"] == "Mac OS X"
    assert describe_agent(header, {"platform": "macOS"}, parser)["os"]["name"] == "Mac OS X"


@pytest.mark.parametrize(
    "hints", [{"brands": "x"}, {"brands": [1, None, {}]}, {"platform": 5}, {"platform": "", "model": None}]
)
def test_hints_that_make_no_sense_are_no_hints(parser: Parser, hints: dict[str, Any]):
    assert describe_agent(WINDOWS, hints, parser) == describe_agent(WINDOWS, {}, parser)


@pytest.mark.parametrize("header", ["", "?", "okhttp/4.9.3", "\x00" * 50, "a" * 10_000])
def test_a_header_that_says_nothing_adds_little(parser: Parser, header: str):
    assert "device" not in describe_agent(header, {}, parser)
