"""The shipped nginx and Caddy snippets pass on what the gateway needs to know, and nothing is lost at them."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from io import BytesIO

import pytest
from aiohttp import ClientSession, web

from tests.integration.deploy.conftest import VISITOR, Front, Upstream

MIB = 2**20


async def post(visitor: ClientSession, front: Front, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """The status and body of the answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with visitor.post(front.base + path, data=BytesIO(body), headers={"Host": front.host, **named}) as answer:
        return answer.status, await answer.read()


async def test_the_clients_address_is_the_last_one_and_cannot_be_forged(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    await post(visitor, front, "/v1/track", b"{}", X_Forwarded_For="203.0.113.9")

    addresses = upstream.arrivals[0].headers["X-Forwarded-For"].split(", ")
    assert addresses[-1] == VISITOR


async def test_the_gateway_sees_the_path_the_host_and_the_scheme_that_the_client_used(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    await post(visitor, front, "/v1/projects/a%2Fb/settings?q=%20x&r=%C3%A9", b"")

    arrival = upstream.arrivals[0]
    assert arrival.target == f"{front.mount}/v1/projects/a%2Fb/settings?q=%20x&r=%C3%A9"
    assert arrival.headers["Host"] == front.host
    assert arrival.headers["X-Forwarded-Proto"] == front.origin.scheme


@pytest.mark.parametrize("front", ["nginx/path_prefix", "caddy/path_prefix"], indirect=True)
async def test_the_site_keeps_every_path_beside_the_mount(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    async with visitor.get(f"{front.origin}/v1/track", headers={"Host": front.host}) as answer:
        assert answer.status == 404

    assert upstream.arrivals == []


async def test_bodies_arrive_byte_for_byte(front: Front, upstream: Upstream, visitor: ClientSession) -> None:
    body = gzip.compress(b'{"batch":[]}' * 1000)

    await post(visitor, front, "/v1/batch", body, Content_Encoding="gzip", Content_Type="text/plain")

    arrival = upstream.arrivals[0]
    assert arrival.body == body
    assert arrival.headers["Content-Encoding"] == "gzip"
    assert arrival.headers["Content-Type"] == "text/plain"


async def test_a_request_up_to_the_gateways_limit_and_a_little_more_is_the_gateways_to_judge(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    for size in (4 * MIB, 4 * MIB + 1):
        status, _ = await post(visitor, front, "/v1/batch", b"x" * size)
        assert status == 200

    assert [len(arrival.body) for arrival in upstream.arrivals] == [4 * MIB, 4 * MIB + 1]


async def test_a_request_far_above_the_limit_ends_at_the_proxy(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    status, _ = await post(visitor, front, "/v1/batch", b"x" * (6 * MIB))

    assert status in {413, 502}
    assert upstream.arrivals == []


async def test_refusals_reach_the_client_as_the_gateway_wrote_them(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    body = b'{"success":false,"code":"queue_full","message":"try again later"}'
    cors = {"Access-Control-Allow-Origin": "https://shop.example", "Access-Control-Expose-Headers": "Retry-After"}
    upstream.answer = web.Response(status=503, body=body, headers={"Retry-After": "30", **cors})

    async with visitor.post(front.base + "/v1/track", data=b"{}", headers={"Host": front.host}) as answer:
        assert answer.status == 503
        assert await answer.read() == body
        assert answer.headers["Retry-After"] == "30"
        assert {name: answer.headers[name] for name in cors} == cors


async def test_requests_share_one_connection_to_the_gateway(
    front: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    for _ in range(5):
        await post(visitor, front, "/v1/track", b"{}")

    assert {arrival.version for arrival in upstream.arrivals} == {"1.1"}
    assert len({arrival.connection for arrival in upstream.arrivals}) == 1


async def test_an_event_survives_a_connection_that_the_gateway_closed(
    nginx: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    await post(visitor, nginx, "/v1/track", b"{}")
    upstream.drop_next = True

    status, _ = await post(visitor, nginx, "/v1/track", b'{"event":"second"}')

    assert status == 200
    assert upstream.arrivals[-1].body == b'{"event":"second"}'


async def test_a_slow_client_does_not_occupy_the_gateway(
    nginx: Front, upstream: Upstream, visitor: ClientSession
) -> None:
    halfway = asyncio.Event()
    rest = asyncio.Event()

    async def slow_body() -> AsyncIterator[bytes]:
        yield b"first half, "
        halfway.set()
        await rest.wait()
        yield b"second half"

    async with asyncio.TaskGroup() as tasks:
        slow = tasks.create_task(visitor.post(nginx.base + "/v1/track", data=slow_body(), headers={"Host": nginx.host}))
        await halfway.wait()
        await post(visitor, nginx, "/v1/track", b"quick")
        assert [arrival.body for arrival in upstream.arrivals] == [b"quick"]
        assert upstream.begun == 1
        rest.set()

    assert slow.result().status == 200
    assert upstream.arrivals[-1].body == b"first half, second half"


async def test_no_address_and_no_query_is_logged(nginx: Front, upstream: Upstream, visitor: ClientSession) -> None:
    async with visitor.get(nginx.base + "/pixel/v1/track?email=a@b.example", headers={"Host": nginx.host}) as answer:
        assert answer.status == 200

    assert upstream.arrivals[0].target.endswith("?email=a@b.example")
    for log in nginx.logs.glob("*.log"):
        assert "a@b.example" not in log.read_text()
