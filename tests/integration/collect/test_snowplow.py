"""Snowplow's trackers over a real socket: what real ones sent, and what every one of them hears."""

import json
from typing import Any

import pytest

from gateway.model.errors import QueueFullError
from gateway.model.event import canonical
from tests.integration.collect.support.gateway import Gateway, Serve
from tests.integration.collect.test_recorded import FIXTURES, PAGE, wire_bytes

TP2 = "/com.snowplowanalytics.snowplow/tp2"
GOOD = {"e": "pv", "uid": "u", "eid": "m1", "aid": "k", "page": "Home"}
QUERY = "e=pv&uid=u&eid=m1&aid=k&page=Home"

ADDRESS = "http://localhost:9200/"
SEARCH = "?utm_source=news&utm_medium=email&utm_campaign=spring&gclid=FAKEGCLID&b=sp"
FAKE_SHOP = {"url": ADDRESS + SEARCH, "path": "/", "search": SEARCH, "title": "Fake Shop"}
LATER = {"url": f"{ADDRESS}?&b=sp", "path": "/", "search": "?&b=sp", "title": "Fake Shop"}
HOME = {"url": "https://shop.example/", "path": "/", "title": "Home"}
BASKET = {"category": "shop", "label": "SKU-1", "property": "pcs", "value": 2}
MUG = {"product_id": "P-1", "sku": "SKU-1", "name": "Fake Mug", "price": 9.98, "quantity": 5}
ORDER = {"order_id": "ORDER-FAKE-1", "total": 59.9, "revenue": 49.9, "currency": "EUR", "products": [MUG]}
ORDER_AT_HOME = {**ORDER, "products": [{**MUG, "category": "Home"}]}
MAIN = {"id": "s1", "name": "Main"}
TRANSACTION = {"order_id": "ORDER-FAKE-1", "total": 59.9, "currency": "EUR"}
USER = "user-fake-1"
DEVICE, LATER_DEVICE = "1bf5b50b-b902-43ae-b5e6-efe72dba3e3f", "a588656e-8682-41ae-b6c1-10d9b4f47817"
PAGE_VIEW = "9f80cd3e-df4b-4354-bdd5-690960f2fef3"

# eid: type, name, properties, userId, anonymousId, time on the 25th of November
BROWSER = {
    "8405c0b5-9371-4ac7-b7e8-8b7a125ed1ae": ("page", "Fake Shop", FAKE_SHOP, USER, DEVICE, "02:39:22.544"),
    "0e20a896-a5c6-4bcf-9299-f9e361f11443": ("track", "add-to-basket", BASKET, USER, DEVICE, "02:39:22.546"),
    "da4b733f-b741-48da-95f4-2a5fb181bed8": ("track", "order", ORDER_AT_HOME, USER, DEVICE, "02:39:22.547"),
    "aeb871f0-c534-4bc4-b37d-2f6bd84deab9": ("page", "Fake Shop", FAKE_SHOP, None, DEVICE, "02:39:24.050"),
    "ec529858-f85e-4de9-9a6d-69f9c7da6096": ("page", "Fake Shop", FAKE_SHOP, None, PAGE_VIEW, "02:39:24.051"),
    "ad1010c8-90c3-4fd1-b836-06c8e49cc60a": ("page", "Fake Shop", LATER, None, LATER_DEVICE, "02:39:26.731"),
    "be4b30fa-4e2f-44e1-8b64-28e84bc1d181": ("track", "page", {"category": "left"}, None, LATER_DEVICE, "02:39:26.738"),
}
NODE = {
    "c12e2ccf-5baa-4395-8ef0-4329efc73120": ("page", "Home", HOME, USER, None, "02:32:13.527"),
    "9163a9d9-3a71-4079-9843-7a0ac6023a1f": ("track", "add-to-basket", BASKET, USER, None, "02:32:13.528"),
    "ed0c25fa-c40a-441c-8156-af67f1b526fa": ("track", "order", ORDER_AT_HOME, USER, None, "02:32:13.528"),
    "e398581d-97ba-4eb7-a93b-704445682783": ("track", "screen_view", MAIN, USER, None, "02:32:13.529"),
    "7e9da3d8-e9d6-42ee-882d-156f8becf064": ("track", "Order Completed", TRANSACTION, USER, None, "02:32:13.529"),
    "edcbaa72-2ae7-4c48-a85a-802f00827de5": ("page", "Home", HOME, USER, None, "02:32:15.445"),
    "e1cf5033-ab89-4763-b3e0-fb11a0537884": ("track", "add-to-basket", BASKET, USER, None, "02:32:15.445"),
    "58046376-b0e5-4fd6-81e8-b45ae9e86076": ("track", "order", ORDER_AT_HOME, USER, None, "02:32:15.445"),
    "075d7718-f052-48ca-9854-40bd54346fc8": ("track", "screen_view", MAIN, USER, None, "02:32:15.446"),
    "164262b9-c8a8-4181-9340-a88f1de246de": ("track", "Order Completed", TRANSACTION, USER, None, "02:32:15.446"),
}
PYTHON = {
    "bd1fef5a-4baf-4096-bdd3-e176fd8b0e11": ("page", "Home", HOME, USER, None, "02:32:19.600"),
    "51aa9f08-80ba-43f6-b932-d34da357c450": ("track", "add-to-basket", BASKET, USER, None, "02:32:19.600"),
    "f7acb335-a6ed-45ee-86eb-753e6369d1a8": ("track", "order", ORDER, USER, None, "02:32:19.600"),
    "06182391-f908-4bcf-bcce-c7e088e23a05": ("track", "screen_view", MAIN, USER, None, "02:32:19.600"),
    "84addbaf-b6f2-4db9-b8e4-9c5c8a4bded0": ("page", "Home", HOME, USER, None, "02:32:22.165"),
    "ef1c455b-19c4-4ae2-b99c-aa33ffe5b140": ("track", "add-to-basket", BASKET, USER, None, "02:32:22.165"),
    "94a5c835-3f74-4444-b579-5675df1414c3": ("track", "order", ORDER, USER, None, "02:32:22.165"),
    "a558d329-366f-4072-885f-ca875584e6bc": ("track", "screen_view", MAIN, USER, None, "02:32:22.165"),
}
SENT = {
    "snowplow-browser-tracker": ["02:39:22.549"] * 3 + ["02:39:24.051", "02:39:24.052"] + ["02:39:27.048"] * 2,
    "snowplow-node-tracker": ["02:32:13.530"] * 5 + [f"02:32:15.{ms}" for ms in (446, 477, 482, 483, 484)],
    "snowplow-python-tracker": ["02:32:19.000"] * 4 + ["02:32:22.000"] * 4,
}
TRACKERS = list(zip(SENT, (BROWSER, NODE, PYTHON), strict=True))


def recorded(tracker: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / f"{tracker}.jsonl").read_text().splitlines()]


async def replay(gateway: Gateway, tracker: str) -> None:
    """Sends what the tracker sent, and looks at each answer."""
    peer = await gateway.connect()
    for record in recorded(tracker):
        await peer.send(wire_bytes(record))
        answer = await peer.answer()
        answers = {
            "OPTIONS": (204, None, b""),
            "POST": (200, "text/plain", b"ok"),
            "GET": (200, "image/gif", answer.body),
        }
        assert (answer.status, answer.headers.get("content-type"), answer.body) == answers[record["method"]]
        if record["headers"].get("origin"):
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["access-control-allow-credentials"] == "true"


def time(clock: str) -> str:
    return f"2026-11-25T{clock}Z"


def described(event: dict[str, Any]) -> tuple[Any, ...]:
    """What an event says, but for its context."""
    name = event.get("name", event.get("event"))
    ids = event.get("userId"), event.get("anonymousId")
    return event["type"], name, event["properties"], *ids, event["originalTimestamp"]


@pytest.fixture
async def collector(serve: Serve) -> Gateway:
    """A listener for the app of the recordings."""
    return await serve(sources={"web": {"write_keys": ["fake-app"], "allowed_origins": [PAGE]}})


@pytest.mark.parametrize(("tracker", "expected"), TRACKERS, ids=list(SENT))
async def test_what_real_trackers_sent_is_stored_once(
    collector: Gateway, tracker: str, expected: dict[str, tuple[Any, ...]]
):
    await replay(collector, tracker)
    await replay(collector, tracker)

    stored = {event["messageId"]: event for event in map(json.loads, collector.queue.raws)}
    assert {key: described(event) for key, event in stored.items()} == {
        key: (*said, time(clock)) for key, (*said, clock) in expected.items()
    }
    assert len(collector.queue.raws) == len(expected)
    assert [envelope.sent_at for envelope, _ in collector.queue.stored] == [time(clock) for clock in SENT[tracker]]
    assert collector.queue.rejected == []
    assert collector.count("events_repaired", source="web") == 0


@pytest.mark.parametrize(
    ("tracker", "index", "context"),
    [
        (
            "snowplow-browser-tracker",
            3,
            {
                "library": {"name": "snowplow", "version": "js-4.10.1"},
                "page": {"id": PAGE_VIEW, **FAKE_SHOP},
                "campaign": {"source": "news", "medium": "email", "name": "spring"},
                "locale": "en-US",
                "timezone": "UTC",
                "screen": {"width": 1280, "height": 720},
                "sessionId": "74225681-2888-4950-8646-5b7a986a8c53",
                "sessionIndex": 1,
                "snowplow": {
                    "aid": "fake-app",
                    "cd": "24",
                    "cookie": "1",
                    "cs": "windows-1252",
                    "ds": "1280x720",
                    "p": "web",
                    "tna": "sp2",
                    "vp": "1280x720",
                    "contexts": [
                        {
                            "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
                            "data": {"id": PAGE_VIEW},
                        }
                    ],
                },
            },
        ),
        (
            "snowplow-python-tracker",
            2,
            {
                "library": {"name": "snowplow", "version": "py-1.1.0"},
                "snowplow": {
                    "aid": "fake-app",
                    "p": "pc",
                    "tna": "ns1",
                    "schema": "iglu:com.example/order/jsonschema/1-0-0",
                    "contexts": [{"schema": "iglu:com.example/user/jsonschema/1-0-0", "data": {"plan": "pro"}}],
                },
            },
        ),
    ],
)
async def test_the_context_of_what_real_trackers_sent(
    collector: Gateway, tracker: str, index: int, context: dict[str, Any]
):
    await replay(collector, tracker)

    assert json.loads(collector.queue.raws[index])["context"] == context


def body(*payloads: Any) -> bytes:
    return json.dumps({"schema": "iglu:.../payload_data/jsonschema/1-0-4", "data": payloads}).encode()


# --- paths


@pytest.mark.parametrize(
    "path",
    [TP2, f"{TP2}/", f"/v1{TP2}", "/com.fake/track", "/com.my-shop.events/v2", "/ice.png", f"http://gw.example{TP2}"],
)
async def test_events_are_taken_at_the_path_of_every_vendor(gateway: Gateway, path: str):
    posted = await gateway.request("POST", path, body(GOOD))
    fetched = await gateway.request("GET", f"{path}?{QUERY}")

    assert (posted.status, posted.body, posted.headers["content-type"]) == (200, b"ok", "text/plain")
    assert (fetched.status, fetched.headers["content-type"], fetched.body[:6]) == (200, "image/gif", b"GIF89a")
    assert [json.loads(raw)["name"] for raw in gateway.queue.raws] == ["Home"]
    assert gateway.count("requests", route="snowplow", status="200") == 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_i_is_snowplows_to_get_and_identify_to_post(gateway: Gateway, method: str):
    fetched = await gateway.request(method, f"/i?{QUERY}")
    for path in ("/i?writeKey=k", "/v1/i?writeKey=k"):
        await gateway.request("POST", path, b'{"userId":"u","traits":{}}')

    assert (fetched.status, fetched.headers["content-type"]) == (200, "image/gif")
    assert [json.loads(raw)["type"] for raw in gateway.queue.raws] == ["page", "identify", "identify"]
    assert gateway.count("requests", route="snowplow", status="200") == 1
    assert gateway.count("requests", route="identify", status="200") == 2


@pytest.mark.parametrize("path", ["/com/track", "/.well-known/track", "/com.fake", "/com.fake/track/more", "/com./x"])
async def test_other_paths_are_nobodys(gateway: Gateway, path: str):
    assert (await gateway.request("POST", path, body(GOOD))).status == 404


async def test_paths_are_below_the_prefix(serve: Serve):
    gateway = await serve(server={"path_prefix": "/e"})

    assert (await gateway.request("GET", f"/e/i?{QUERY}")).status == 200
    assert (await gateway.request("POST", TP2, body(GOOD))).status == 404


# --- answers


@pytest.mark.parametrize(
    ("method", "path", "sent", "code"),
    [
        ("POST", TP2, body({**GOOD, "aid": "nobody"}), "unknown_write_key"),
        ("POST", TP2, body({"e": "pv", "uid": "u"}), "missing_write_key"),
        ("POST", TP2, b"{", "invalid_json"),
        ("POST", TP2, b"", "empty_body"),
        ("POST", TP2, b'{"e":"pv"}', "invalid_payload"),
        ("POST", TP2, b"\x1f\x8b", "corrupt_body"),
        ("GET", f"/i?{QUERY}&aid=nobody", b"", "unknown_write_key"),
        ("GET", "/i", b"", "missing_write_key"),
        ("GET", "/i?e=xx&uid=u&aid=k", b"", "invalid_type"),
        ("GET", "/i?e=pv&aid=k", b"", "missing_user"),
    ],
)
async def test_what_is_refused_for_good_is_a_400_and_noted(
    gateway: Gateway, method: str, path: str, sent: bytes, code: str
):
    answer = await gateway.request(method, path, sent)
    said = json.loads(answer.body)

    assert (answer.status, said["success"], said["code"]) == (400, False, code)
    assert said["message"]
    assert answer.headers["content-type"] == "application/json"
    assert [each.reason for each in gateway.queue.rejected] == [code]


async def test_a_bad_event_is_refused_and_the_others_are_stored(gateway: Gateway):
    answer = await gateway.request("POST", TP2, body({**GOOD, "e": "xx"}, GOOD, "pv", {**GOOD, "eid": "m2"}))
    said = json.loads(answer.body)

    assert (answer.status, said["rejectedCount"]) == (200, 2)
    assert [(each["index"], each["code"]) for each in said["rejected"]] == [(0, "invalid_type"), (2, "not_an_object")]
    assert [json.loads(raw)["messageId"] for raw in gateway.queue.raws] == ["m1", "m2"]


@pytest.mark.parametrize(("method", "path", "sent"), [("POST", TP2, body(GOOD)), ("GET", f"/i?{QUERY}", b"")])
async def test_what_is_refused_for_now_says_when_to_come_back(serve: Serve, method: str, path: str, sent: bytes):
    gateway = await serve(server={"rate_per_ip": {"per_second": 0.001, "burst": 1}})
    gateway.queue.refusal = QueueFullError("The queue is full.", retry_after_s=7)

    full = await gateway.request(method, path, sent)
    too_often = await gateway.request(method, path, sent)

    assert (full.status, full.headers["retry-after"], json.loads(full.body)["code"]) == (503, "7", "queue_full")
    assert (too_often.status, json.loads(too_often.body)["code"]) == (429, "rate_limited")
    assert int(too_often.headers["retry-after"]) >= 1


async def test_the_first_app_id_of_a_request_names_its_source(gateway: Gateway):
    await gateway.request(
        "POST", TP2, body({**GOOD, "aid": ""}, {**GOOD, "eid": "m2"}, {**GOOD, "eid": "m3", "aid": "s"})
    )

    assert [envelope.source for envelope, _ in gateway.queue.stored] == ["web"] * 3


async def test_a_page_of_another_origin_is_refused(gateway: Gateway):
    answer = await gateway.request("POST", TP2, body(GOOD), Origin="https://evil.example")

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "origin_not_allowed")


# --- anonymity


@pytest.mark.parametrize(("header", "address"), [({"SP_Anonymous": "*"}, ""), ({}, "127.0.0.1")])
async def test_an_address_is_not_kept_of_who_asks_for_it(gateway: Gateway, header: dict[str, str], address: str):
    await gateway.request("POST", TP2, body(GOOD, {**GOOD, "e": "xx"}), **header)
    await gateway.request("GET", "/i?e=pv&uid=u&aid=k&eid=m2", **header)

    assert {envelope.ip for envelope, _ in gateway.queue.stored} == {address}
    assert {each.ip for each in gateway.queue.rejected} == {address}
    event, envelope = json.loads(gateway.queue.raws[0]), gateway.queue.stored[0][0]
    assert canonical(event, envelope)["context"].get("ip", "") == address


async def test_an_address_is_not_kept_of_a_body_that_was_not_read(serve: Serve):
    gateway = await serve(server={"max_body": "1 KB"})
    answer = await gateway.request("POST", TP2, b"x" * 2_000, SP_Anonymous="*")

    assert json.loads(answer.body)["code"] == "body_too_large"
    assert [each.ip for each in gateway.queue.rejected] == [""]


async def test_rates_hold_for_the_anonymous_too(serve: Serve):
    gateway = await serve(server={"rate_per_ip": {"per_second": 0.001, "burst": 1}})
    statuses = [(await gateway.request("POST", TP2, body(GOOD), SP_Anonymous="*")).status for _ in range(2)]

    assert statuses == [200, 429]
