"""Programs that say what they are, at the door of a source whose owner wants none of their events."""

import json
from typing import Any

import pytest

from tests.integration.collect.support.gateway import Serve

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
SHOP = "https://shop.example"
SECTIONS: dict[str, Any] = {
    "sources": {
        "web": {"write_keys": ["k"], "allowed_origins": [SHOP], "bots": "drop"},
        "server": {"write_keys": ["s"]},
    }
}
BODY = {"batch": [{"type": "page", "messageId": "m", "anonymousId": "page"}], "anonymousId": "page"}


@pytest.mark.parametrize(
    ("agent", "key", "is_stored"),
    [
        (CHROME, "k", True),
        (GOOGLEBOT, "k", False),
        ("Mozilla/5.0 HeadlessChrome/142.0", "k", False),
        ("", "k", True),
        (GOOGLEBOT, "s", True),
    ],
)
async def test_their_events_are_answered_and_counted_and_not_stored(
    serve: Serve, agent: str, key: str, is_stored: bool
):
    gateway = await serve(**SECTIONS)
    headers = {"User_Agent": agent} if agent else {}

    answer = await gateway.request("POST", "/v1/b", json.dumps(BODY | {"writeKey": key}).encode(), **headers)

    assert (answer.status, json.loads(answer.body)) == (200, {"success": True})
    assert len(gateway.queue.stored) == is_stored
    assert gateway.count("events_withheld", source="web", reason="bot") == (not is_stored)


async def test_a_program_is_given_no_identity(serve: Serve):
    gateway = await serve(**SECTIONS)
    said = {"Origin": SHOP, "User_Agent": GOOGLEBOT}

    answer = await gateway.request("POST", "/js/headwater", json.dumps(BODY | {"writeKey": "k"}).encode(), **said)

    assert (answer.status, answer.headers.get("set-cookie")) == (200, None)
    assert gateway.queue.stored == []


async def test_what_is_wrong_with_an_event_is_said_to_a_program_too(serve: Serve):
    gateway = await serve(**SECTIONS)

    answer = await gateway.request("POST", "/v1/t", b'{"event":"E","writeKey":"k"}', User_Agent=GOOGLEBOT)

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "missing_user")
