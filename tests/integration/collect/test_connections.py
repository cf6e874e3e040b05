"""Connections: order of answers, malformed and slow clients, and how a connection ends."""

import asyncio
import json

import pytest

from tests.integration.collect.support.gateway import Gateway, Serve

HEAD = b"POST /v1/t HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Basic azo=\r\n"


def post(number: int, extra: bytes = b"") -> bytes:
    body = b'{"messageId":"%d","userId":"u1","event":"E"}' % number
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_requests_sent_in_a_row_are_answered_in_order(gateway: Gateway):
    peer = await gateway.connect()

    await peer.send(post(1) + b"GET /nothing HTTP/1.1\r\nHost: gw.example\r\n\r\n" + post(2) + post(3)[:60])
    statuses = [(await peer.answer()).status for _ in range(3)]
    await peer.send(post(3)[60:])
    statuses.append((await peer.answer()).status)

    assert statuses == [200, 404, 200, 200]
    assert [json.loads(raw)["messageId"] for raw in gateway.queue.raws] == ["1", "2", "3"]


async def test_requests_behind_a_slow_commit_wait_their_turn(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    await peer.send(*(post(number) for number in range(200)))
    await asyncio.sleep(0.05)
    gateway.queue.commit_held()

    assert [(await peer.answer()).status for _ in range(200)] == [200] * 200
    assert [json.loads(raw)["messageId"] for raw in gateway.queue.raws] == [str(number) for number in range(200)]


async def test_a_flood_of_small_requests_in_one_piece_is_answered_whole(gateway: Gateway):
    peer = await gateway.connect()

    await peer.send(b"".join(post(number) for number in range(3_000)))

    assert {(await peer.answer()).status for _ in range(3_000)} == {200}
    assert len(gateway.queue.stored) == 3_000


async def test_a_client_that_does_not_read_its_answers_is_not_served_for_ever(serve: Serve):
    gateway = await serve(server={"body_timeout": "300ms"})
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1)
    request = b"GET /js/headwater.js HTTP/1.1\r\nHost: gw.example\r\n\r\n"

    async def ask_on() -> None:
        while True:
            writer.write(request * 1_000)
            await writer.drain()

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(ask_on(), 10)
    writer.transport.abort()
    assert reader.at_eof() or reader.exception() is not None


@pytest.mark.parametrize("extra", [b"Connection: close\r\n", b"Connection: Close, te\r\n"])
async def test_a_client_that_wants_no_more_is_let_go(gateway: Gateway, extra: bytes):
    peer = await gateway.connect()
    await peer.send(post(1, extra))
    answer = await peer.answer()

    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert await peer.is_closed()


async def test_http_1_0_is_answered_and_closed(gateway: Gateway):
    peer = await gateway.connect()
    await peer.send(post(1).replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert (await peer.answer()).status == 200
    assert await peer.is_closed()


async def test_a_client_may_close_its_side_and_wait_for_the_answer(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    await peer.send(post(1) + post(2))
    peer.writer.write_eof()
    await asyncio.sleep(0.05)
    gateway.queue.commit_held()

    assert [(await peer.answer()).status for _ in range(2)] == [200, 200]
    assert await peer.is_closed()


async def test_a_client_that_goes_away_while_its_events_are_stored_harms_nobody(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    await peer.send(post(1))
    await asyncio.sleep(0.05)
    peer.writer.transport.abort()
    await asyncio.sleep(0.05)
    gateway.queue.commit_held()

    assert (await gateway.request("GET", "/robots.txt")).status == 200
    assert len(gateway.queue.stored) == 1
    assert gateway.count("events_accepted", source="web") == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"hello\r\n\r\n",
        b"POST /v1/t HTTP/9.9\r\n\r\n",
        b"POST /v1/t HTTP/1.1\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 100,
    ],
)
async def test_what_is_not_http_is_a_400_and_the_end(gateway: Gateway, garbage: bytes):
    peer = await gateway.connect()
    await peer.send(garbage)
    answer = await peer.answer()

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "malformed_request")
    assert await peer.is_closed()
    assert gateway.count("requests", route="malformed", status="400") == 1


@pytest.mark.parametrize("request_line", [b"CONNECT gw.example:443", b"OPTIONS *", b"TRACE /v1/t", b"GET /%00/%ff?%"])
async def test_odd_requests_get_an_answer(gateway: Gateway, request_line: bytes):
    peer = await gateway.connect()
    await peer.send(request_line + b" HTTP/1.1\r\nHost: gw.example\r\n\r\n")

    assert (await peer.answer()).status in {204, 404, 405}


async def test_a_request_to_change_the_protocol_is_answered_in_this_one(gateway: Gateway):
    peer = await gateway.connect()
    await peer.send(post(1, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    answer = await peer.answer()

    assert (answer.status, answer.headers["connection"]) == (200, "close")


@pytest.mark.parametrize("sent", [b"POST /v1/t HT", HEAD, post(1)[:-5]])
async def test_a_slow_request_is_told_to_come_again(serve: Serve, sent: bytes):
    gateway = await serve(server={"body_timeout": "300ms"})
    peer = await gateway.connect()
    await peer.send(sent)
    answer = await peer.answer()

    assert (answer.status, json.loads(answer.body)["code"]) == (503, "slow_request")
    assert await peer.is_closed()


async def test_a_trickle_does_not_extend_the_time_for_a_request(serve: Serve):
    gateway = await serve(server={"body_timeout": "300ms"})
    peer = await gateway.connect()
    answering = asyncio.ensure_future(peer.answer())
    for byte in post(1):
        if answering.done():
            break
        await peer.send(bytes([byte]))
        await asyncio.sleep(0.05)

    assert (await answering).status == 503


async def test_a_connection_that_never_asks_is_closed(serve: Serve):
    gateway = await serve(server={"body_timeout": "300ms"})
    peer = await gateway.connect()

    assert await peer.is_closed()


async def test_a_head_that_never_ends_is_cut_off(gateway: Gateway):
    peer = await gateway.connect()
    await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n", *(b"X-%d: %b\r\n" % (n, b"a" * 1_000) for n in range(120)))

    assert (await peer.answer()).status == 400


async def test_a_crowd_of_idle_connections_makes_room_for_others(serve: Serve):
    gateway = await serve(server={"max_connections": 4, "body_timeout": "300ms"})
    peers = [await gateway.connect() for _ in range(3)]
    for peer in peers:
        assert (await peer.request("GET", "/robots.txt")).status == 200

    assert await peers[2].is_closed()


async def test_more_connections_than_the_bound_are_turned_away(serve: Serve):
    gateway = await serve(server={"max_connections": 2})
    first, second = await gateway.connect(), await gateway.connect()
    assert (await first.request("GET", "/robots.txt")).status == 200
    assert (await second.request("GET", "/robots.txt")).status == 200

    third = await gateway.connect()
    answer = await third.answer()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")

    first.close()
    await asyncio.sleep(0.05)
    third.close()
    await asyncio.sleep(0.05)
    fourth = await gateway.connect()
    assert (await fourth.request("GET", "/robots.txt")).status == 200
