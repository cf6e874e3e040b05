"""Programs that say what they are."""

import pytest

from gateway.enrich.bots import open_detector

is_bot = open_detector()


@pytest.mark.parametrize(
    "header",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0 Safari/537.36",
    ],
)
def test_a_program_that_says_so_is_a_bot(header: str):
    assert is_bot(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
        "okhttp/4.12.0",
        "Go-http-client/1.1",
        "python-requests/2.34.2",
        "analytics-python/2.4.0",
        "analytics-ios/4.1.8",
        "Headwater/0.1",
    ],
)
def test_browsers_and_the_sdks_that_send_events_are_none(header: str):
    assert not is_bot(header)
