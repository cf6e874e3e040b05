"""How bodies travel: chunked, compressed, large, too large, and too many at once."""

import asyncio
import gzip
import json
import random

import pytest

from tests.integration.collect.support.gateway import Gateway, Serve

KEY = "Basic azo="
EVENT = b'{"messageId":"%d","userId":"u1","event":"E"}'
HEAD = b"POST /v1/t HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Basic azo=\r\n"


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("compress", [False, True])
async def test_a_chunked_body_is_a_body(gateway: Gateway, size: int, compress: bool):
    body = EVENT % 1
    peer = await gateway.connect()

    await peer.send(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunked(gzip.compress(body) if compress else body, size)
    )

    assert (await peer.answer()).status == 200
    assert json.loads(gateway.queue.raws[0])["messageId"] == "1"


async def test_a_request_may_come_byte_by_byte(gateway: Gateway):
    peer = await gateway.connect()
    for byte in HEAD + b"Content-Length: %d\r\n\r\n" % len(EVENT % 1) + EVENT % 1:
        await peer.send(bytes([byte]))

    assert (await peer.answer()).status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "image/png", ""])
async def test_the_content_type_plays_no_part(gateway: Gateway, content_type: str):
    answer = await gateway.request("POST", "/v1/t", EVENT % 1, Authorization=KEY, Content_Type=content_type)

    assert answer.status == 200


async def test_a_client_that_asks_first_is_told_to_go_on(gateway: Gateway):
    peer = await gateway.connect()
    await peer.send(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(EVENT % 1))
    assert await peer.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"

    await peer.send(EVENT % 1)

    assert (await peer.answer()).status == 200


async def test_a_large_batch_is_stored_whole(gateway: Gateway):
    filler = random.Random(1).randbytes(300).hex()
    events = [b'{"type":"page","messageId":"%d","userId":"u","x":"%b"}' % (n, filler.encode()) for n in range(20_000)]
    body = gzip.compress(b"[" + b",".join(events) + b"]", 1)

    answer = await gateway.request("POST", "/v1/batch", body, Authorization=KEY)

    assert answer.status == 200
    assert gateway.queue.raws == events


@pytest.mark.parametrize("as_chunks", [False, True])
async def test_a_body_too_large_on_the_wire_is_a_400_and_is_not_read(serve: Serve, as_chunks: bool):
    gateway = await serve(server={"max_body": 100_000})
    peer = await gateway.connect()
    body = EVENT % 1 + b" " * 200_000

    if as_chunks:
        await peer.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 5_000)[:150_000])
    else:
        await peer.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
    answer = await peer.answer()

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "body_too_large")
    assert answer.headers["connection"] == "close"
    assert await peer.is_closed()


async def test_a_body_too_large_that_comes_at_once_is_refused_and_noted(serve: Serve):
    gateway = await serve(server={"max_body": 1_000})
    peer = await gateway.connect()

    answer = await peer.request("POST", "/v1/t", EVENT % 1 + b" " * 1_000, Authorization=KEY)

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "body_too_large")
    assert gateway.count("events_rejected", source="web", reason="body_too_large") == 1
    assert len(gateway.queue.rejected) == 1
    assert (await peer.request("POST", "/v1/t", EVENT % 1, Authorization=KEY)).status == 200


async def test_a_body_of_exactly_the_limit_is_taken(serve: Serve):
    gateway = await serve(server={"max_body": 100_000})
    body = EVENT % 1

    answer = await gateway.request("POST", "/v1/t", body + b" " * (100_000 - len(body)), Authorization=KEY)

    assert answer.status == 200


async def test_a_decompression_bomb_is_cut_off(gateway: Gateway):
    bomb = gzip.compress(b'{"x":"' + b"a" * 200 * 2**20, 9)
    assert len(bomb) < 2**20

    answer = await gateway.request("POST", "/v1/batch", bomb, Authorization=KEY)

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "body_too_large")
    assert (await gateway.request("POST", "/v1/t", EVENT % 1, Authorization=KEY)).status == 200


async def test_a_well_compressed_honest_batch_is_taken(gateway: Gateway):
    events = [b'{"type":"page","messageId":"%d","userId":"u","x":"%b"}' % (n, b"a" * 20_000) for n in range(100)]
    body = gzip.compress(b"[" + b",".join(events) + b"]")
    assert len(body) < 10_000

    assert (await gateway.request("POST", "/v1/batch", body, Authorization=KEY)).status == 200
    assert gateway.queue.raws == events


async def test_more_bytes_in_flight_than_the_bound_are_a_503(serve: Serve):
    gateway = await serve(server={"max_in_flight": 50_000})
    first = await gateway.connect()
    await first.send(HEAD + b"Content-Length: 45000\r\n\r\n" + b" " * 40_000)
    await asyncio.sleep(0.05)

    second = await gateway.connect()
    await second.send(HEAD + b"Content-Length: 20000\r\n\r\n")
    answer = await second.answer()

    assert (answer.status, json.loads(answer.body)["code"]) == (503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    await first.send(b" " * (5_000 - len(EVENT % 1)) + EVENT % 1)
    assert (await first.answer()).status == 200
    assert (await gateway.request("POST", "/v1/t", EVENT % 2, Authorization=KEY)).status == 200


async def test_bytes_are_given_back_whatever_becomes_of_a_request(gateway: Gateway):
    for body in (EVENT % 1, b"{", gzip.compress(EVENT % 2), b"x" * 300_000):
        await gateway.request("POST", "/v1/t", body, Authorization=KEY)
    peer = await gateway.connect()
    await peer.send(HEAD + b"Content-Length: 9999\r\n\r\nabc")
    await asyncio.sleep(0.05)
    assert gateway.metrics.registry.get_sample_value("headwater_request_bytes_in_flight") > 0
    peer.close()
    await asyncio.sleep(0.05)

    assert gateway.metrics.registry.get_sample_value("headwater_request_bytes_in_flight") == 0
