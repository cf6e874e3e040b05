"""A backlog costs disk, not memory: neither while it grows nor at the start on top of it."""

import asyncio
import uuid
from collections.abc import Iterator

import aiohttp
import pytest

from tests.e2e.harness.configuration import Plan, webhook
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.sending import authorization

RESIDENT_MB = 250
READY_WITHIN = 2
"""Times what the start with an empty queue took of the processor: a start that reads the backlog takes far more."""
BATCH = 500
SENDERS = 8
EVENT = (
    '{"type":"track","event":"Product Viewed","messageId":"%s","anonymousId":"%s","properties":{"product_id":"%s",'
    '"price":%d,"name":"Boat lantern","category":"Light","url":"https://shop.example/products/boat-lantern"},'
    '"context":{"page":{"path":"/products/boat-lantern","referrer":"https://search.example/?q=lantern"}}}'
)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(1_000_000, id="short"),
        pytest.param(5_000_000, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
async def test_a_backlog_stays_on_disk(make_daemon: MakeDaemon, http: aiohttp.ClientSession, events: int):
    nobody = webhook("hook", f"http://127.0.0.1:{free_port()}/")
    daemon = make_daemon(Plan(destinations=nobody, more='[log]\nlevel = "error"\n'))
    await daemon.start()
    empty_s = daemon.cpu_s()

    await send(http, daemon.url, events)
    assert (await daemon.account("hook"))["pending"] == events
    highest_mb = daemon.memory_mb("VmHWM")
    await daemon.kill()

    await daemon.start()
    ready_s = daemon.cpu_s()
    await send(http, daemon.url, BATCH * SENDERS)
    assert (await daemon.account("hook"))["pending"] == events + BATCH * SENDERS
    print(
        f"{events:,} events: at most {highest_mb:.0f} MB resident; ready after {ready_s:.2f} s, {empty_s:.2f} s empty"
    )
    assert highest_mb < RESIDENT_MB
    assert daemon.memory_mb("VmHWM") < RESIDENT_MB
    assert ready_s < READY_WITHIN * empty_s


async def send(http: aiohttp.ClientSession, url: str, events: int) -> None:
    """Batches over a few connections; each must be acknowledged."""
    bodies = iter(batches(events))

    async def post() -> None:
        for body in bodies:
            async with http.post(f"{url}/v1/batch", data=body, headers=authorization()) as answer:
                assert answer.status == 200, await answer.text()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(SENDERS):
            tasks.create_task(post())


def batches(events: int) -> Iterator[bytes]:
    """Bodies of BATCH events each, every event with an id of its own."""
    run = uuid.uuid4().hex
    for first in range(0, events, BATCH):
        lines = (EVENT % (f"{run}-{n}", f"v-{n % 9973}", f"p-{n % 97}", n % 500) for n in range(first, first + BATCH))
        yield f'{{"batch":[{",".join(lines)}]}}'.encode()
