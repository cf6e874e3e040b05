"""Events of those who asked to be forgotten are answered like others, and never stored."""

import json
from typing import Any

import pytest

from gateway.model.person import ANONYMOUS_ID, USER_ID, Identifier
from tests.integration.collect.support.gateway import Gateway

USER, DEVICE = "ada", "ada-device"
SHOP = "https://shop.example"


@pytest.fixture
def suppressing(gateway: Gateway) -> Gateway:
    """A listener that knows of one person."""
    suppression = gateway.queue.suppression
    suppression.digests |= {
        suppression.digest(Identifier(USER_ID, USER)),
        suppression.digest(Identifier(ANONYMOUS_ID, DEVICE)),
    }
    return gateway


def event(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "E", "messageId": f"m{number}", "writeKey": "k", **fields}


async def post(gateway: Gateway, body: Any, path: str = "/v1/t", **headers: str) -> int:
    return (await gateway.request("POST", path, json.dumps(body).encode(), **headers)).status


@pytest.mark.parametrize(
    ("ids", "is_stored"),
    [
        ({"userId": USER}, False),
        ({"userId": "ben", "anonymousId": DEVICE}, True),
        ({"userId": "undefined", "anonymousId": DEVICE}, False),
        ({"anonymousId": DEVICE}, False),
        ({"type": "alias", "userId": "ben", "previousId": USER}, False),
        ({"userId": DEVICE}, True),
        ({"anonymousId": USER}, True),
        ({"userId": "ben"}, True),
        ({"userId": "ben", "properties": {"userId": USER, "anonymousId": DEVICE}}, True),
        ({"userId": "", "anonymousId": "other", "context": {"traits": {"userId": USER}}}, True),
    ],
)
async def test_an_event_is_withheld_by_its_own_ids(suppressing: Gateway, ids: dict[str, Any], is_stored: bool):
    assert await post(suppressing, event(**ids)) == 200

    assert len(suppressing.queue.stored) == is_stored
    assert suppressing.count("events_withheld", source="web", reason="suppressed") == (not is_stored)


async def test_one_event_of_a_batch_is_withheld_and_the_others_are_stored(suppressing: Gateway):
    batch = {"batch": [event(1, userId="ben"), event(2, userId=USER), event(3, userId="eve")], "writeKey": "k"}

    assert await post(suppressing, batch, "/v1/b") == 200

    assert [json.loads(raw)["messageId"] for raw in suppressing.queue.raws] == ["m1", "m3"]


async def test_escapes_and_numbers_hide_nobody(suppressing: Gateway):
    suppression = suppressing.queue.suppression
    suppression.digests.add(suppression.digest(Identifier(USER_ID, "4711")))

    assert await post(suppressing, event(1, userId=4711)) == 200
    escaped = b'{"type":"track","event":"E","messageId":"m2","writeKey":"k","userId":"\\u0061da"}'
    assert (await suppressing.request("POST", "/v1/t", escaped)).status == 200

    assert suppressing.queue.stored == []


@pytest.mark.parametrize(("cookie", "is_stored"), [(DEVICE, False), ("other", True)])
async def test_the_id_that_counts_is_the_one_that_the_cookie_gives(suppressing: Gateway, cookie: str, is_stored: bool):
    """The page believes it is somebody else; the cookie of record wins, and then the list is asked."""
    page = "new" if cookie == DEVICE else DEVICE
    body = {"batch": [event(anonymousId=page)], "writeKey": "k", "anonymousId": page}
    raw = json.dumps(body, separators=(",", ":")).encode()

    answer = await suppressing.request(
        "POST", "/js/headwater", raw, Origin=SHOP, Content_Type="text/plain", Cookie=f"hw={cookie}.20000"
    )

    assert answer.status == 200
    assert [json.loads(stored)["anonymousId"] for stored in suppressing.queue.raws] == ["other"] * is_stored


@pytest.mark.parametrize(
    ("body", "is_kept"),
    [
        (b'{"type":"track","userId":"ada","writeKey":"k"}', False),
        (b'{"type":"track","userId" : "\\u0061da", broken', False),
        (b'{"type":"track","anonymousId":"ada-device"', False),
        (b'{"type":"track","userId":"ben","writeKey":"k"}', True),
        (b'{"userId":"cut off in the mid', True),
    ],
)
async def test_what_is_refused_is_noted_without_the_body(suppressing: Gateway, body: bytes, is_kept: bool):
    assert (await suppressing.request("POST", "/v1/t", body)).status == 400

    (rejected,) = suppressing.queue.rejected
    assert rejected.body == (body if is_kept else b"")
