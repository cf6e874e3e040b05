"""Intake in front of the queue on disk: what was acknowledged is there, across a restart, in the order of arrival."""

import asyncio
import json
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.collect.server import Collector
from gateway.config import QueueSettings
from gateway.model.clock import SystemClock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue, open_queue
from tests.integration.collect.support.gateway import Gateway, make_settings

EVENT = b'{"type":"track","messageId":"%d","userId":"u1","event":"E","writeKey":"k"}'


@asynccontextmanager
async def running(path: Path, **queue_settings: Any) -> AsyncIterator[tuple[Gateway, Queue]]:
    """A listener and its queue in `path`, with the queue's own loop."""
    clock, rng, metrics = SystemClock(), random.Random(1), Metrics("test")
    settings = QueueSettings(path=path, **queue_settings)
    async with open_queue(settings, clock, rng, metrics) as queue, asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(queue.run())
        listener = socket.create_server(("127.0.0.1", 0))
        collector = Collector(make_settings(queue={"path": path}), queue, clock, rng, metrics)
        await collector.serve([listener])
        gateway = Gateway(collector, queue, metrics, listener)  # type: ignore[arg-type]  # the real one
        try:
            yield gateway, queue
        finally:
            await gateway.stop()
            writing.cancel()


async def stored_events(queue: Queue) -> list[tuple[str, dict[str, Any]]]:
    batches = await queue.read(queue.first_offset, 10_000, 2**26)
    return [(event.envelope.source, json.loads(event.raw)) for batch in batches for event in batch]


async def test_what_was_acknowledged_is_on_disk_once(tmp_path: Path):
    async with running(tmp_path) as (gateway, _):
        answers = await asyncio.gather(
            *(gateway.request("POST", "/v1/t", EVENT % (number % 40)) for number in range(60)),
            gateway.request("POST", "/v1/b", b'[%b,{"type":"page"},%b]' % (EVENT % 100, EVENT % 101)),
        )
        assert {answer.status for answer in answers} == {200}
        assert gateway.count("events_accepted", source="web") == 42
        assert gateway.count("events_duplicate", source="web") == 20

    async with running(tmp_path) as (gateway, queue):
        stored = await stored_events(queue)
        assert (await gateway.request("POST", "/v1/t", EVENT % 7)).status == 200
        assert gateway.count("events_duplicate", source="web") == 1

    assert sorted(int(event["messageId"]) for _, event in stored) == [*range(40), 100, 101]
    assert {source for source, _ in stored} == {"web"}


async def test_one_connections_events_are_stored_in_its_order(tmp_path: Path):
    async with running(tmp_path) as (gateway, queue):
        peer = await gateway.connect()
        for number in range(50):
            assert (await peer.request("POST", "/v1/t", EVENT % number)).status == 200

        assert [int(event["messageId"]) for _, event in await stored_events(queue)] == list(range(50))


async def test_refused_events_can_be_looked_up(tmp_path: Path):
    async with running(tmp_path) as (gateway, queue):
        await gateway.request("POST", "/v1/t", b'{"event":"E","writeKey":"k"}')
        await gateway.request("POST", "/v1/t", EVENT % 1)

        (rejected,) = await queue.rejected(10)

    assert (rejected.source, rejected.reason, rejected.body) == ("web", "missing_user", b'{"event":"E","writeKey":"k"}')


async def test_odd_headers_do_not_harm_the_log(tmp_path: Path):
    async with running(tmp_path) as (gateway, queue):
        peer = await gateway.connect()
        body = EVENT % 1
        head = b"POST /v1/t HTTP/1.1\r\nHost: x\r\nUser-Agent: caf\xe9 \xf0\x9f\x98\x80\r\nContent-Length: %d\r\n\r\n"
        await peer.send(head % len(body) + body)

        assert (await peer.answer()).status == 200
        (batch,) = await queue.read(0, 10, 10_000)

    assert batch.envelope(0).user_agent == "caf\ufffd \N{GRINNING FACE}"


async def test_a_queue_at_its_budget_is_a_503_and_the_events_are_not_lost_in_silence(tmp_path: Path):
    filler = random.Random(1).randbytes(200_000).hex().encode()
    async with running(tmp_path, max_bytes=4 * 2**20, reserve=0, min_free=0) as (gateway, queue):
        statuses: list[int] = []
        for number in range(60):
            answer = await gateway.request("POST", "/v1/t", (EVENT % number)[:-1] + b',"x":"%b"}' % filler)
            statuses.append(answer.status)
        assert {200, 503} == set(statuses)
        assert answer.headers["retry-after"].isdigit()
        assert json.loads(answer.body)["code"] == "queue_full"
        assert queue.head_offset == statuses.count(200)
