"""PostHog's paths on the real listener: which they are, what is Segment's among them, and what their SDKs hear.

What they sent when they were recorded is in test_posthog_recorded.py.
"""

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from gateway.model.errors import QueueFullError
from gateway.model.event import from_epoch_ms, to_iso
from tests.integration.collect.support.gateway import Gateway, Serve

EVENT = {"uuid": "m", "event": "E", "distinct_id": "u", "properties": {"n": 1}}
BODY = json.dumps({"api_key": "k", "batch": [EVENT]}).encode()
SHOP = "https://shop.example"


def data_of(body: bytes) -> bytes:
    return b"data=" + quote(base64.b64encode(body), safe="").encode()


@pytest.mark.parametrize(
    "path",
    ["/e", "/e/", "/i/v0/e", "/i/v0/e/", "/capture/", "/engage/", "/batch", "/batch/", "/e/?compression=gzip-js"],
)
@pytest.mark.parametrize("wrap", [bytes, gzip.compress, data_of])
async def test_events_are_taken_on_each_path_however_they_are_wrapped(gateway: Gateway, path: str, wrap: Any):
    answer = await gateway.request("POST", path, wrap(BODY), Origin=SHOP)

    assert (answer.status, answer.body) == (200, b'{"status":1}')
    assert answer.headers["access-control-allow-origin"] == SHOP
    ((envelope, raw),) = gateway.queue.stored
    assert envelope.source == "web"
    assert json.loads(raw) == {
        "messageId": "m",
        "type": "track",
        "event": "E",
        "userId": "u",
        "properties": {"n": 1},
    }
    assert gateway.count("requests", route="posthog", status="200") == 1


async def test_an_event_may_come_in_the_query(gateway: Gateway):
    data = quote(base64.b64encode(json.dumps({**EVENT, "api_key": "k"}).encode()), safe="")

    answer = await gateway.request("GET", f"/e/?ip=1&data={data}")

    assert (answer.status, answer.body, len(gateway.queue.stored)) == (200, b'{"status":1}', 1)


async def test_an_offset_counts_back_from_the_receipt(gateway: Gateway):
    event = {"uuid": "m", "event": "E", "offset": 5000, "properties": {"distinct_id": "d", "token": "k"}}

    await gateway.request("POST", "/e/", json.dumps([event]).encode())

    ((envelope, raw),) = gateway.queue.stored
    earliest, latest = envelope.received_at_ms - 15_000, envelope.received_at_ms - 5000
    assert to_iso(from_epoch_ms(earliest)) < json.loads(raw)["timestamp"] <= to_iso(from_epoch_ms(latest))


# What is Segment's.

SEGMENTS = b'{"writeKey":"k","batch":[{"type":"page", "messageId":"1","userId":"u"}]}'


@pytest.mark.parametrize("path", ["/v1/batch", "/batch", "/batch/", "/v1/batch/", "/v1/batch?x=1", "/b"])
@pytest.mark.parametrize("wrap", [bytes, gzip.compress])
async def test_a_batch_of_segments_is_stored_byte_for_byte(gateway: Gateway, path: str, wrap: Any):
    answer = await gateway.request("POST", path, wrap(SEGMENTS))

    assert (answer.status, answer.body) == (200, b'{"success":true}')
    assert gateway.queue.raws == [b'{"type":"page", "messageId":"1","userId":"u"}']
    assert gateway.count("requests", route="batch", status="200") == 1


async def test_v1_batch_is_segments_alone(gateway: Gateway):
    answer = await gateway.request("POST", "/v1/batch", BODY)

    assert (answer.status, json.loads(answer.body)["code"]) == (401, "missing_write_key")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"{", "invalid_json"),
        (b'{"api_key"', "invalid_json"),
        (b"\x1f\x8bnonsense", "corrupt_body"),
        (b'{"writeKey":"k","batch":[5]}', None),
    ],
)
async def test_what_is_nobodys_is_answered_as_segments(gateway: Gateway, body: bytes, code: str | None):
    bare = await gateway.request("POST", "/batch", body)
    exact = await gateway.request("POST", "/v1/batch", body)

    assert (bare.status, bare.body) == (exact.status, exact.body)
    assert json.loads(bare.body).get("code") == code


async def test_a_screen_without_its_version_is_segments_still(gateway: Gateway):
    answer = await gateway.request("POST", "/s/", b'{"writeKey":"k","messageId":"1","userId":"u","name":"Basket"}')

    assert answer.body == b'{"success":true}'
    assert json.loads(gateway.queue.raws[0])["type"] == "screen"


async def test_a_track_without_its_version_is_segments(gateway: Gateway):
    answer = await gateway.request("POST", "/track/", BODY)

    assert (answer.status, gateway.queue.stored) == (401, [])


# What is not kept.


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, data_of])
async def test_a_recording_is_taken_and_dropped(gateway: Gateway, wrap: Any):
    body = json.dumps({"api_key": "k", "batch": [{**EVENT, "event": "$snapshot"}]}).encode()

    answer = await gateway.request("POST", "/s/", wrap(body), Origin=SHOP)

    assert (answer.status, answer.body) == (200, b'{"status":1}')
    assert (gateway.queue.stored, gateway.queue.rejected) == ([], [])


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/flags/?v=2", "/flags?v=4", "/decide/?v=3"])
async def test_flags_are_off(gateway: Gateway, method: str, path: str):
    answer = await gateway.request(method, path, b'{"token":"k"}' if method == "POST" else b"", Origin=SHOP)

    assert answer.status == 200
    assert json.loads(answer.body).get("featureFlags", {}) == {}
    assert answer.headers["access-control-allow-origin"] == SHOP


async def test_every_write_key_has_a_configuration_with_all_features_off(gateway: Gateway):
    for key in ("k", "FAKE_WRITE_KEY", "s"):
        answer = await gateway.request("GET", f"/array/{key}/config")
        document = json.loads(answer.body)
        assert (document.pop("token"), document.pop("supportedCompression")) == (key, ["gzip", "gzip-js"])
        assert document.pop("siteApps") == []
        assert set(document.values()) == {False}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/array/k/config.js"),
        ("GET", "/array/nobody/config"),
        ("GET", "/static/1.449.2/surveys.js"),
        ("POST", "/i/v1/analytics/events"),
    ],
)
async def test_what_posthog_js_can_do_without_is_not_there(gateway: Gateway, method: str, path: str):
    assert (await gateway.request(method, path)).status == 404


# What they hear when something is wrong.


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"", {}, 400, "empty_body"),
        (b"{", {}, 400, "invalid_json"),
        (b"data=eyJh", {}, 400, "invalid_json"),
        (b'{"batch":5}', {}, 400, "invalid_batch"),
        (b"\x1f\x8bnonsense", {}, 400, "corrupt_body"),
        (json.dumps({"batch": [EVENT]}).encode(), {}, 401, "missing_write_key"),
        (json.dumps({"api_key": "nobody", "batch": [EVENT]}).encode(), {}, 401, "unknown_write_key"),
        (BODY, {"Origin": "https://evil.example"}, 400, "origin_not_allowed"),
    ],
)
async def test_a_refusal_is_for_good(gateway: Gateway, body: bytes, headers: dict[str, str], status: int, code: str):
    answer = await gateway.request("POST", "/e/", body, **headers)

    assert (answer.status, json.loads(answer.body)["code"]) == (status, code)
    assert [noted.reason for noted in gateway.queue.rejected] == [code]


async def test_bad_events_are_listed_and_the_good_ones_stored(gateway: Gateway):
    deep: Any = json.loads("[" * 80 + "]" * 80)
    events = [EVENT, 5, {"event": "E"}, {**EVENT, "uuid": "deep", "properties": {"deep": deep}}]

    answer = await gateway.request("POST", "/batch/", json.dumps({"api_key": "k", "batch": events}).encode())

    said = json.loads(answer.body)
    assert (answer.status, said["status"], said["rejectedCount"]) == (200, 1, 3)
    assert [each["code"] for each in said["rejected"]] == ["not_an_object", "missing_user", "too_deep"]
    assert len(gateway.queue.stored) == 1


ONE_REQUEST = {"per_second": 0.001, "burst": 1}


@pytest.mark.parametrize(
    "limits",
    [{"server": {"rate_per_ip": ONE_REQUEST}}, {"sources": {"web": {"write_keys": ["k"], "rate": ONE_REQUEST}}}],
)
async def test_a_rate_is_a_503_because_posthog_js_drops_what_hears_429(serve: Serve, limits: dict[str, Any]):
    gateway = await serve(**limits)

    first, second = [await gateway.request("POST", "/e/", BODY) for _ in range(2)]

    assert (first.status, second.status, json.loads(second.body)["code"]) == (200, 503, "rate_limited")
    assert int(second.headers["retry-after"]) >= 1
    assert gateway.count("requests", route="posthog", status="503") == 1


async def test_a_rate_of_the_address_is_a_429_where_the_path_is_segments_too(serve: Serve):
    gateway = await serve(server={"rate_per_ip": ONE_REQUEST})

    first, second = [await gateway.request("POST", "/batch/", BODY) for _ in range(2)]

    assert (first.status, second.status) == (200, 429)


async def test_a_full_queue_is_a_503(gateway: Gateway):
    gateway.queue.refusal = QueueFullError("The queue is full.", retry_after_s=30)

    answer = await gateway.request("POST", "/e/", BODY, Origin=SHOP)

    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    assert answer.headers["access-control-expose-headers"] == "Retry-After"


async def test_an_event_sent_again_is_stored_once(gateway: Gateway):
    for _ in range(2):
        assert (await gateway.request("POST", "/e/?retry_count=1", BODY)).body == b'{"status":1}'

    assert len(gateway.queue.stored) == 1


async def test_a_large_batch_is_read_in_a_thread_and_known_as_posthogs(gateway: Gateway):
    events = [{**EVENT, "uuid": f"m{number}", "properties": {"text": "x" * 1000}} for number in range(500)]
    body = gzip.compress(json.dumps({"batch": events, "api_key": "k"}).encode())

    answer = await gateway.request("POST", "/batch/", body)

    assert (answer.body, len(gateway.queue.stored)) == (b'{"status":1}', 500)
