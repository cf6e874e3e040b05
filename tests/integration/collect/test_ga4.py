"""GA4's paths on the real listener."""

import gzip
import json
from typing import Any

import pytest

from gateway.model.errors import QueueFullError
from gateway.model.event import canonical
from tests.integration.collect.support.gateway import Gateway, Serve

SHOP = "https://shop.example"
PAYLOAD = {
    "client_id": "c",
    "timestamp_micros": 1_795_574_592_000_123,
    "consent": {"ad_user_data": "GRANTED"},
    "events": [
        {"name": "page_view", "params": {"page_location": f"{SHOP}/mugs"}},
        {"name": "purchase", "params": {"value": 9.98}},
    ],
}
BODY = json.dumps(PAYLOAD).encode()
PROTOCOL = "/mp/collect?measurement_id=G-1&api_secret=k"


@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
async def test_the_measurement_protocol_is_answered_204_and_stored(gateway: Gateway, wrap: Any):
    answer = await gateway.request("POST", PROTOCOL, wrap(BODY), User_Agent="server/1.0")

    assert (answer.status, answer.body, "content-length" in answer.headers) == (204, b"", False)
    page, purchase = [canonical(json.loads(raw), envelope) for envelope, raw in gateway.queue.stored]
    assert gateway.queue.stored[0][0].source == "web"
    assert (page["type"], page["properties"]["url"], page["anonymousId"]) == ("page", f"{SHOP}/mugs", "c")
    assert (purchase["type"], purchase["event"], purchase["properties"]) == ("track", "purchase", {"value": 9.98})
    assert purchase["timestamp"] == purchase["originalTimestamp"] == "2026-11-25T02:43:12.000Z"
    assert purchase["context"] == {
        "library": {"name": "ga4-measurement-protocol"},
        "consent": {"categoryPreferences": {"ad_user_data": True}},
        "ip": "127.0.0.1",
        "userAgent": "server/1.0",
    }
    assert gateway.count("requests", route="ga4", status="204") == 1


async def test_the_stream_is_the_key_where_there_is_no_secret(serve: Serve):
    gateway = await serve(sources={"shop": {"write_keys": ["G-1"]}})

    answer = await gateway.request("POST", "/mp/collect?measurement_id=G-1", BODY)

    assert (answer.status, len(gateway.queue.stored)) == (204, 2)


async def test_a_request_sent_again_is_stored_once(gateway: Gateway):
    for _ in range(2):
        assert (await gateway.request("POST", PROTOCOL, BODY)).status == 204
        assert (await gateway.request("GET", "/g/collect?tid=k&cid=c&en=e&_s=1&_p=7")).status == 204

    assert len(gateway.queue.stored) == 3


async def test_events_that_nothing_tells_apart_are_all_stored(gateway: Gateway):
    body = json.dumps({"client_id": "c", "events": [{"name": "click"}] * 2}).encode()

    for _ in range(2):
        await gateway.request("POST", PROTOCOL, body)

    events = [json.loads(raw) for raw in gateway.queue.raws]
    assert len({event["messageId"] for event in events}) == 4
    assert events[0]["context"]["gateway"] == {"generated": ["messageId"]}


async def test_a_get_of_gtag_is_one_event(gateway: Gateway):
    answer = await gateway.request("GET", "/g/collect?v=2&tid=k&cid=c&en=scroll&epn.percent=90&_s=2", Origin=SHOP)

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, SHOP)
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert json.loads(gateway.queue.raws[0])["properties"] == {"percent": 90}


async def test_a_post_of_gtag_is_an_event_a_line(gateway: Gateway):
    body = b"en=page_view&dt=Mugs\r\nen=scroll&_et=5"

    answer = await gateway.request("POST", "/g/collect?v=2&tid=k&cid=c&_s=1", body, Content_Type="text/plain")

    assert (answer.status, answer.body) == (204, b"")
    page, scroll = map(json.loads, gateway.queue.raws)
    assert (page["type"], page["properties"]) == ("page", {"title": "Mugs"})
    assert (scroll["event"], scroll["properties"]) == ("scroll", {"engagement_time_msec": 5})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", PROTOCOL, b"", 400, "empty_body"),
        ("POST", PROTOCOL, b"{", 400, "invalid_json"),
        ("POST", PROTOCOL, b"{}", 400, "invalid_events"),
        ("POST", "/mp/collect", BODY, 401, "missing_write_key"),
        ("POST", "/mp/collect?api_secret=nobody&measurement_id=k", BODY, 401, "unknown_write_key"),
        ("POST", "/g/collect?tid=k&cid=c", b"en=e\n" * 200, 400, "invalid_events"),
        ("GET", "/g/collect?en=e&cid=c", b"", 401, "missing_write_key"),
    ],
)
async def test_a_refusal_says_why(gateway: Gateway, method: str, path: str, body: bytes, status: int, code: str):
    answer = await gateway.request(method, path, body)

    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert [noted.reason for noted in gateway.queue.rejected] == [code]


async def test_what_is_stored_in_part_is_a_200_with_the_rest(gateway: Gateway):
    body = json.dumps({"client_id": "c", "events": [{"name": "e"}, {"params": {}}]}).encode()

    answer = await gateway.request("POST", PROTOCOL, body)

    said = json.loads(answer.body)
    assert (answer.status, [each["code"] for each in said["rejected"]]) == (200, ["missing_event_name"])
    assert len(gateway.queue.stored) == 1


@pytest.mark.parametrize(
    ("query", "body", "code"),
    [
        ("api_secret=k", BODY, None),
        ("api_secret=nobody", BODY, "unknown_write_key"),
        ("api_secret=k", b'{"events":[{"name":"e"}]}', "missing_user"),
        ("api_secret=k", b"{", "invalid_json"),
    ],
)
async def test_the_debug_server_keeps_nothing_and_says_what_is_wrong(
    gateway: Gateway, query: str, body: bytes, code: str | None
):
    answer = await gateway.request("POST", f"/debug/mp/collect?{query}", body)

    messages = json.loads(answer.body)["validationMessages"]
    assert answer.status == 200
    assert [each["validationCode"] for each in messages] == ([code] if code else [])
    assert gateway.queue.stored == []


async def test_a_full_queue_is_a_503(gateway: Gateway):
    gateway.queue.refusal = QueueFullError("The queue is full.", retry_after_s=30)

    answer = await gateway.request("POST", PROTOCOL, BODY)

    assert (answer.status, answer.headers["retry-after"]) == (503, "30")


@pytest.mark.parametrize(
    ("path", "allowed"), [("/mp/collect", "POST, OPTIONS"), ("/debug/mp/collect", "POST, OPTIONS")]
)
async def test_the_measurement_protocol_is_post_alone(gateway: Gateway, path: str, allowed: str):
    answer = await gateway.request("GET", path)

    assert (answer.status, answer.headers["allow"]) == (405, allowed)
