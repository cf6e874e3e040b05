"""What a client hears, and what is kept, counted and noted when it hears it."""

import base64
import json

import pytest

from gateway.model.errors import QueueFullError, QueueUnavailableError
from tests.integration.collect.support.gateway import Gateway, Serve

EVENT = b'{"messageId":"m1","userId":"u1","event":"E"}'


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/track",
        "/v1/t",
        "/v1/t/",
        "/t",
        "/track/",
        "/v1/v1/t",
        "//v1/t",
        "/v1//t",
        "http://gw.example/v1/t",
        "/t?x=1",
    ],
)
async def test_an_event_is_taken_on_every_spelling_of_its_path(gateway: Gateway, path: str):
    answer = await gateway.request("POST", path, EVENT, Authorization=basic("k"))

    assert (answer.status, json.loads(answer.body)) == (200, {"success": True})
    assert gateway.queue.raws == [b'{"type":"track",' + EVENT[1:]]
    assert gateway.count("requests", route="track", status="200") == 1
    assert gateway.count("events_accepted", source="web") == 1


@pytest.mark.parametrize("kind", ["track", "page", "screen", "identify", "group", "alias"])
@pytest.mark.parametrize("is_short", [False, True])
async def test_the_path_gives_the_type(gateway: Gateway, kind: str, is_short: bool):
    body = b'{"messageId":"m","userId":"u","event":"E","groupId":"g","previousId":"p"}'

    await gateway.request("POST", f"/v1/{kind[0] if is_short else kind}", body, Authorization=basic("k"))

    assert json.loads(gateway.queue.raws[0])["type"] == kind


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
async def test_a_batch_is_taken_on_each_of_its_paths(gateway: Gateway, path: str):
    body = b'{"batch":[{"type":"page","messageId":"1","userId":"u"}],"sentAt":"2026-11-25T02:32:10Z"}'

    answer = await gateway.request("POST", f"{path}?writeKey=k", body, User_Agent="Agent/1.0")

    assert answer.status == 200
    ((envelope, _),) = gateway.queue.stored
    assert (envelope.source, envelope.sent_at, envelope.ip) == ("web", "2026-11-25T02:32:10Z", "127.0.0.1")
    assert envelope.user_agent == "Agent/1.0"


@pytest.mark.parametrize(
    ("query", "authorization", "body_key", "source"),
    [
        ("", "k", None, "web"),
        ("", None, "k", "web"),
        ("?writeKey=k", None, None, "web"),
        ("", "s", "k", "server"),
        ("?writeKey=k", None, "s", "server"),
    ],
)
async def test_the_key_is_found_and_basic_auth_wins(
    gateway: Gateway, query: str, authorization: str | None, body_key: str | None, source: str
):
    event = {"type": "page", "messageId": "m", "userId": "u"} | ({"writeKey": body_key} if body_key else {})
    headers = {"Authorization": basic(authorization)} if authorization else {}

    await gateway.request("POST", f"/v1/p{query}", json.dumps(event).encode(), **headers)

    assert [envelope.source for envelope, _ in gateway.queue.stored] == [source]


@pytest.mark.parametrize(
    ("headers", "body", "status", "code", "source"),
    [
        ({}, EVENT, 401, "missing_write_key", ""),
        ({"Authorization": basic("nobody")}, EVENT, 401, "unknown_write_key", ""),
        ({"Authorization": basic("k")}, b"{", 400, "invalid_json", "web"),
        ({"Authorization": basic("k")}, b'{"event":"E"}', 400, "missing_user", "web"),
        ({"Authorization": basic("k"), "Content_Encoding": "gzip"}, b"\x1f\x8bnonsense", 400, "corrupt_body", "web"),
        ({"Authorization": basic("k"), "Origin": "https://evil.example"}, EVENT, 400, "origin_not_allowed", "web"),
        ({"Authorization": basic("s"), "Origin": "https://shop.example"}, EVENT, 400, "origin_not_allowed", "server"),
    ],
)
async def test_a_refusal_says_why_and_is_counted_and_noted(
    gateway: Gateway, headers: dict[str, str], body: bytes, status: int, code: str, source: str
):
    answer = await gateway.request("POST", "/v1/t", body, **headers)

    said = json.loads(answer.body)
    assert (answer.status, said["success"], said["code"]) == (status, False, code)
    assert said["message"]
    assert gateway.count("events_rejected", source=source, reason=code) == 1
    (noted,) = gateway.queue.rejected
    assert (noted.source, noted.reason, noted.body, noted.ip) == (source, code, body, "127.0.0.1")
    assert gateway.queue.stored == []


async def test_a_page_of_our_own_host_may_send_without_being_listed(gateway: Gateway):
    answer = await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("s"), Origin="https://gw.example")

    assert answer.status == 200


async def test_bad_events_of_a_batch_are_listed_and_the_good_ones_stored(gateway: Gateway):
    body = b'[{"type":"page","messageId":"1","userId":"u"},5,{"type":"page"}]'

    answer = await gateway.request("POST", "/v1/b", body, Authorization=basic("k"))

    said = json.loads(answer.body)
    assert (answer.status, said["success"], said["rejectedCount"]) == (200, True, 2)
    assert [(each["index"], each["code"]) for each in said["rejected"]] == [(1, "not_an_object"), (2, "missing_user")]
    assert gateway.count("events_rejected", source="web", reason="missing_user") == 1
    assert len(gateway.queue.rejected) == 2
    assert len(gateway.queue.stored) == 1


async def test_the_list_of_rejections_is_bounded_and_their_number_is_not(gateway: Gateway):
    answer = await gateway.request("POST", "/v1/b", b"[" + b"5," * 999 + b"5]", Authorization=basic("k"))

    said = json.loads(answer.body)
    assert (len(said["rejected"]), said["rejectedCount"]) == (100, 1000)
    assert len(gateway.queue.rejected) == 1000


async def test_a_noted_body_is_only_its_start(gateway: Gateway):
    await gateway.request("POST", "/v1/t", b"x" * 10_000, Authorization=basic("k"))

    assert gateway.queue.rejected[0].body == b"x" * 2048


async def test_a_repeated_event_is_acknowledged_and_not_stored_again(gateway: Gateway):
    for _ in range(2):
        assert (await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"))).status == 200

    assert len(gateway.queue.stored) == 1
    assert gateway.count("events_duplicate", source="web") == 1


async def test_repaired_and_oversize_events_are_counted(gateway: Gateway):
    large = json.dumps({"type": "page", "userId": "u", "messageId": "2", "properties": {"x": "y" * 40_000}})
    body = b'[{"type":"page","messageId":"1","userId":"a\\u0000"},%b]' % large.encode()

    await gateway.request("POST", "/v1/b", body, Authorization=basic("k"))

    assert gateway.count("events_repaired", source="web") == 1
    assert gateway.count("events_oversize", source="web") == 1


@pytest.mark.parametrize(
    ("error", "code", "retry_after"),
    [
        (QueueFullError("The queue is full.", retry_after_s=30), "queue_full", "30"),
        (QueueUnavailableError("The disk fails.", retry_after_s=7), "queue_unavailable", "7"),
    ],
)
async def test_a_queue_that_refuses_is_a_503_that_says_when(
    gateway: Gateway, error: Exception, code: str, retry_after: str
):
    gateway.queue.refusal = error

    answer = await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"), Origin="https://shop.example")

    assert (answer.status, json.loads(answer.body)["code"]) == (503, code)
    assert answer.headers["retry-after"] == retry_after
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert gateway.count("events_accepted", source="web") == 0


async def test_a_failed_commit_is_a_503(gateway: Gateway):
    gateway.queue.commit_error = QueueUnavailableError("The disk fails.", retry_after_s=7)

    answer = await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"))

    assert (answer.status, answer.headers["retry-after"]) == (503, "7")


async def test_no_answer_comes_before_the_commit_and_a_slow_one_is_a_503(serve: Serve):
    gateway = await serve(server={"ack_timeout": "300ms"})
    gateway.queue.may_commit.clear()

    answer = await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"))
    gateway.queue.commit_held()

    assert (answer.status, json.loads(answer.body)["code"]) == (503, "commit_slow")
    assert len(gateway.queue.stored) == 1
    assert (await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"))).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("GET", "/nothing", 404, None),
        ("POST", "/v1/nothing", 404, None),
        ("GET", "/v1/t", 405, "POST, OPTIONS"),
        ("PUT", "/v1/batch", 405, "POST, OPTIONS"),
        ("POST", "/v1/projects/k/settings", 405, "GET, HEAD, OPTIONS"),
        ("DELETE", "/robots.txt", 405, "GET, HEAD, OPTIONS"),
    ],
)
async def test_wrong_paths_and_methods_are_said_in_json(
    gateway: Gateway, method: str, path: str, status: int, allowed: str | None
):
    answer = await gateway.request(method, path)

    assert answer.status == status
    assert answer.headers.get("allow") == allowed
    assert json.loads(answer.body)["message"]


async def test_an_sdks_counters_about_itself_are_taken_and_dropped(gateway: Gateway):
    answer = await gateway.request("POST", "/v1/m", b'{"series":[]}')

    assert (answer.status, gateway.queue.stored) == (200, [])


async def test_everything_is_below_the_prefix_and_nothing_beside_it(serve: Serve):
    gateway = await serve(server={"path_prefix": "/e"})

    assert (await gateway.request("POST", "/e/v1/t", EVENT, Authorization=basic("k"))).status == 200
    assert (await gateway.request("POST", "/e/t/", EVENT, Authorization=basic("k"))).status == 200
    assert (await gateway.request("GET", "/e/robots.txt")).status == 200
    assert (await gateway.request("POST", "/v1/t", EVENT, Authorization=basic("k"))).status == 404
    assert (await gateway.request("POST", "/ex/v1/t", EVENT, Authorization=basic("k"))).status == 404
