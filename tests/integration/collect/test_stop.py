"""Stopping and restarting: what has come is answered, and no client is left without an answer."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.integration.collect.support.gateway import Gateway, Serve, make_settings
from tests.integration.collect.support.peer import request_bytes

EVENT = b'{"messageId":"%d","userId":"u1","event":"E","writeKey":"k"}'


async def test_what_is_in_flight_is_answered_and_the_connection_closed(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    asking = asyncio.ensure_future(peer.request("POST", "/v1/t", EVENT % 1))
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(gateway.collector.stop(5))
    await asyncio.sleep(0.05)
    assert not stopping.done()
    gateway.queue.commit_held()
    answer = await asking
    assert await peer.is_closed()
    peer.close()
    await stopping

    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_pipelined_requests_are_all_answered_and_only_the_last_closes(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    await peer.send(b"".join(request_bytes("POST", "/v1/t", EVENT % number) for number in range(20)))
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(gateway.collector.stop(5))
    await asyncio.sleep(0.05)
    gateway.queue.commit_held()
    answers = [await peer.answer() for _ in range(20)]
    peer.close()
    await stopping

    assert [answer.status for answer in answers] == [200] * 20
    assert [answer.headers.get("connection") for answer in answers] == [None] * 19 + ["close"]


async def test_a_request_half_sent_is_waited_for(gateway: Gateway):
    request = request_bytes("POST", "/v1/t", EVENT % 1)
    peer = await gateway.connect()
    await peer.send(request[:-10])
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(gateway.collector.stop(5))
    await asyncio.sleep(0.05)
    await peer.send(request[-10:])
    answer = await peer.answer()
    peer.close()
    await stopping

    assert answer.status == 200


async def test_an_idle_connection_has_a_grace_in_which_it_may_ask_once_more(gateway: Gateway):
    peer = await gateway.connect()
    assert (await peer.request("GET", "/robots.txt")).status == 200
    stopping = asyncio.ensure_future(gateway.collector.stop(5))
    await asyncio.sleep(0.3)
    answer = await peer.request("POST", "/v1/t", EVENT % 1)
    peer.close()
    await stopping

    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_an_idle_connection_that_stays_silent_is_closed_and_the_stop_ends(gateway: Gateway):
    peer = await gateway.connect()
    assert (await peer.request("GET", "/robots.txt")).status == 200

    stopping = asyncio.ensure_future(gateway.collector.stop(10))
    assert await peer.is_closed()
    peer.close()
    await asyncio.wait_for(stopping, 2)


async def test_a_request_that_crosses_our_close_is_stored(gateway: Gateway):
    peer = await gateway.connect()
    assert (await peer.request("GET", "/robots.txt")).status == 200
    stopping = asyncio.ensure_future(gateway.collector.stop(10))
    assert await peer.is_closed()

    await peer.send(b"POST /v1/t HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(EVENT % 1), EVENT % 1))
    await stopping

    assert len(gateway.queue.stored) == 1


async def test_with_nothing_open_the_stop_is_immediate(gateway: Gateway):
    await asyncio.wait_for(gateway.collector.stop(60), 1)


async def test_the_drain_is_the_longest_that_a_stop_takes(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    asking = asyncio.ensure_future(peer.request("POST", "/v1/t", EVENT % 1))
    await asyncio.sleep(0.05)

    await asyncio.wait_for(gateway.collector.stop(0.2), 2)

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asking


async def keep_sending(port: int, name: str, until: asyncio.Event, outcomes: list[Any]) -> None:
    """A client with keep-alive as HTTP/1.1 has it: it opens another connection after `Connection: close`, and counts
    everything but an answer as a loss."""
    number = 0
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    while not until.is_set():
        number += 1
        body = json.dumps({"messageId": f"{name}-{number}", "userId": "u", "event": "E", "writeKey": "k"}).encode()
        try:
            if reader is None or writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /v1/t HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(b'{"success":true}'))
            outcomes.append(int(head.split()[1]))
            if b"Connection: close" in head:
                writer.close()
                reader = writer = None
        except (OSError, asyncio.IncompleteReadError) as error:
            outcomes.append(error)
            reader = writer = None
        await asyncio.sleep(0.02)
    if writer is not None:
        writer.close()


async def test_ten_restarts_with_a_held_socket_lose_no_request(serve: Serve):
    """As systemd does it: the socket outlives the daemon, and the next one takes the connections that queued up."""
    held = socket.create_server(("127.0.0.1", 0), backlog=1024)
    done, outcomes = asyncio.Event(), []
    stored = 0
    async with asyncio.TaskGroup() as clients:
        for number in range(8):
            clients.create_task(keep_sending(held.getsockname()[1], f"c{number}", done, outcomes))
        for _ in range(10):
            gateway = await serve(held.dup())
            await asyncio.sleep(0.2)
            await gateway.collector.stop(10)
            stored += len(gateway.queue.stored)
            await asyncio.sleep(0.1)
        gateway = await serve(held.dup())
        await asyncio.sleep(0.2)
        done.set()
    stored += len(gateway.queue.stored)
    held.close()

    assert set(outcomes) == {200}
    assert stored == len(outcomes)
    assert len(outcomes) > 500


async def test_a_reload_changes_keys_and_origins_without_closing_a_connection(gateway: Gateway):
    peer = await gateway.connect()
    assert (await peer.request("POST", "/v1/t", EVENT % 1)).status == 200

    sources = {"shop": {"write_keys": ["k"], "allowed_origins": ["https://new.example"]}, "x": {"write_keys": ["x"]}}
    gateway.collector.reload(make_settings(sources=sources))
    answers = [
        await peer.request("POST", "/v1/t", EVENT % 2, Origin="https://new.example"),
        await peer.request("POST", "/v1/t", EVENT % 3, Origin="https://shop.example"),
        await peer.request("POST", "/v1/t", (EVENT % 4).replace(b'"k"', b'"s"')),
    ]

    assert [answer.status for answer in answers] == [200, 400, 401]
    assert [envelope.source for envelope, _ in gateway.queue.stored] == ["web", "shop"]


async def test_a_reload_is_no_amnesty_for_an_address_over_its_rate(serve: Serve):
    server = {"rate_per_ip": {"per_second": 0.001, "burst": 1}}
    gateway = await serve(server=server)
    assert (await gateway.request("POST", "/v1/t", EVENT % 1)).status == 200

    gateway.collector.reload(make_settings(server=server))

    assert (await gateway.request("POST", "/v1/t", EVENT % 2)).status == 429


async def test_a_request_in_hand_finishes_as_it_began(gateway: Gateway):
    gateway.queue.may_commit.clear()
    peer = await gateway.connect()
    asking = asyncio.ensure_future(peer.request("POST", "/v1/t", EVENT % 1))
    await asyncio.sleep(0.05)
    gateway.collector.reload(make_settings(sources={"other": {"write_keys": ["other"]}}))
    gateway.queue.commit_held()

    assert (await asking).status == 200


async def test_a_unix_socket_is_served_and_its_proxy_believed(serve: Serve, tmp_path: Path):
    path = str(tmp_path / "gateway.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    gateway = await serve(listener)
    reader, writer = await asyncio.open_unix_connection(path)
    head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(EVENT % 1) + EVENT % 1)

    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    assert [envelope.ip for envelope, _ in gateway.queue.stored] == ["203.0.113.9"]
