"""Origin x method x what becomes of the request: every answer carries complete CORS headers, or none."""

import json

import pytest

from tests.integration.collect.support.gateway import Gateway, Serve

SHOP = "https://shop.example"
EVENT = b'{"messageId":"m1","userId":"u1","event":"E","writeKey":"%b"}'
CREDENTIALED = {
    "access-control-allow-origin": SHOP,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "Retry-After",
    "vary": "Origin",
}

REQUESTS = [
    ("POST", "/v1/t", EVENT % b"k", 200),
    ("POST", "/v1/t", EVENT % b"unknown", 401),
    ("POST", "/v1/t", EVENT % b"s", 400),
    ("POST", "/v1/t", b"{", 400),
    ("POST", "/v1/t", b"", 400),
    ("POST", "/v1/m", b"{}", 200),
    ("POST", "/beacon/v1/batch", b'{"batch":[],"writeKey":"k"}', 200),
    ("GET", "/v1/projects/k/settings", b"", 200),
    ("GET", "/sourceConfig?writeKey=k", b"", 200),
    ("GET", "/sourceConfig?writeKey=unknown", b"", 401),
    ("HEAD", "/sourceConfig/?view=ad", b"", 200),
    ("GET", "/v1/pixel/page", b"", 200),
    ("GET", "/robots.txt", b"", 200),
    ("GET", "/js/headwater.js", b"", 200),
    ("GET", "/v1/t", b"", 405),
    ("GET", "/nothing", b"", 404),
    ("POST", "/nothing", EVENT % b"k", 404),
]


def cors_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
async def test_an_allowed_page_may_read_every_answer(
    gateway: Gateway, method: str, path: str, body: bytes, status: int
):
    answer = await gateway.request(method, path, body, Origin=SHOP)

    assert answer.status == status
    assert cors_headers(answer.headers) == cors_headers(CREDENTIALED)
    assert "Origin" in answer.headers["vary"].split(", ")


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://shop.example"])
async def test_no_other_page_may(gateway: Gateway, method: str, path: str, body: bytes, status: int, origin: str):
    answer = await gateway.request(method, path, body, Origin=origin)

    assert cors_headers(answer.headers) == {}
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize(("method", "path", "body", "status"), REQUESTS)
async def test_a_preflight_is_answered_for_every_path(
    gateway: Gateway, method: str, path: str, body: bytes, status: int
):
    asked = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": "authorization,anonymousid"}
    answer = await gateway.request("OPTIONS", path, Origin=SHOP, **asked)

    assert answer.status == 204
    assert CREDENTIALED.items() <= answer.headers.items()
    assert {"authorization", "content-type", "anonymousid", "rsa-retry-attempt", "x-retry-count"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
    assert answer.headers["access-control-max-age"] == "7200"
    assert "content-length" not in answer.headers


async def test_a_preflight_of_another_page_is_told_nothing(gateway: Gateway):
    answer = await gateway.request("OPTIONS", "/v1/t", Origin="https://evil.example")

    assert (answer.status, cors_headers(answer.headers)) == (204, {})


async def test_preflights_are_not_rated_and_a_429_can_be_read(serve: Serve):
    gateway = await serve(server={"rate_per_ip": {"per_second": 0.001, "burst": 1}})

    for _ in range(3):
        assert (await gateway.request("OPTIONS", "/v1/t", Origin=SHOP)).status == 204
    assert (await gateway.request("POST", "/v1/t", EVENT % b"k", Origin=SHOP)).status == 200
    answer = await gateway.request("POST", "/v1/t", EVENT % b"k", Origin=SHOP)

    assert answer.status == 429
    assert CREDENTIALED.items() <= answer.headers.items()
    assert int(answer.headers["retry-after"]) > 900
    assert json.loads(answer.body)["code"] == "rate_limited"


async def test_a_source_open_to_all_echoes_the_page_by_name(serve: Serve):
    gateway = await serve(sources={"web": {"write_keys": ["k"], "allowed_origins": ["*"]}})

    answer = await gateway.request("POST", "/v1/t", EVENT % b"k", Origin="https://anywhere.example")

    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://anywhere.example"


async def test_servers_send_no_origin_and_pass(gateway: Gateway):
    answer = await gateway.request("POST", "/v1/t", EVENT % b"s")

    assert (answer.status, cors_headers(answer.headers)) == (200, {})
