"""Where a visitor came from, and under which campaign."""

import pytest

from gateway.enrich.campaign import campaign_of
from gateway.enrich.referrer import classify

PAGE = "https://www.shop.example/boots"


@pytest.mark.parametrize(
    ("referrer", "kind", "name"),
    [
        ("https://www.google.com/", "search", "Google"),
        ("https://www.google.co.uk/search?q=boots", "search", "Google"),
        ("https://google.de/", "search", "Google"),
        ("https://duckduckgo.com/", "search", "DuckDuckGo"),
        ("https://mail.google.com/mail/u/0", "email", "Gmail"),
        ("https://gemini.google.com/app", "assistant", "Gemini"),
        ("https://chatgpt.com/", "assistant", "ChatGPT"),
        ("https://l.facebook.com/l.php", "social", "Facebook"),
        ("https://t.co/abc", "social", "X"),
        ("android-app://com.google.android.gm/", "link", "com.google.android.gm"),
        ("https://out.reddit.com/", "social", "Reddit"),
        ("https://blog.other.example/post", "link", "blog.other.example"),
        ("https://shop.example/socks", "internal", "shop.example"),
        ("https://checkout.shop.example/done", "internal", "checkout.shop.example"),
        ("https://notgoogle.com/", "link", "notgoogle.com"),
        ("https://google.evil.example/", "link", "google.evil.example"),
        ("https://t.coffee/", "link", "t.coffee"),
    ],
)
def test_a_referrer_has_a_kind_and_a_name(referrer: str, kind: str, name: str):
    found = classify(referrer, PAGE)

    assert found is not None
    assert (found.type, found.name) == (kind, name)


@pytest.mark.parametrize("referrer", ["", "about:blank", "no address", "https://[broken", "//"])
def test_what_is_no_address_is_no_referrer(referrer: str):
    assert classify(referrer, PAGE) is None


@pytest.mark.parametrize(
    ("url", "campaign"),
    [
        (
            "https://shop.example/?utm_source=news&utm_medium=email&utm_campaign=winter%20sale&utm_id=7&x=1",
            {"source": "news", "medium": "email", "name": "winter sale", "id": "7"},
        ),
        ("https://shop.example/?utm_source=", {}),
        ("https://shop.example/utm_source", {}),
        ("https://[broken?utm_source=x", {}),
        ("", {}),
    ],
)
def test_a_campaign_is_what_the_address_says(url: str, campaign: dict[str, str]):
    assert campaign_of(url) == campaign
