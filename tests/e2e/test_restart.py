"""A restart is not felt: the socket stays with its parent, connections wait in it, and what had come in is answered."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.sending import Client, ids, track, tracks
from tests.e2e.harness.waiting import until

CLIENTS = 20
PER_CLIENT_PER_S = 10
"""200 requests a second together. Half of the clients keep their connection, half take a new one for each request."""
DRAIN_S = 10


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket as systemd holds it."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as held:
        yield held


@pytest.mark.parametrize(
    "restarts",
    [pytest.param(10, id="short"), pytest.param(200, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
async def test_ten_restarts_under_load_answer_every_request(
    make_daemon: MakeDaemon, listener: socket.socket, restarts: int
):
    daemon = make_daemon(Plan(destinations=WAREHOUSE, server=f'drain = "{DRAIN_S}s"'))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    acknowledged: set[str] = set()
    troubles: list[str] = []
    await daemon.start(listener=listener)

    async with loading(url, acknowledged, troubles):
        for _ in range(restarts):
            sent = len(acknowledged)
            await until(lambda sent=sent: len(acknowledged) > sent + CLIENTS, "requests are answered again")
            assert await daemon.stop() == 0
            await daemon.start(listener=listener)

    assert troubles == []
    await daemon.settled("warehouse")
    assert await daemon.stop() == 0
    assert {row[0] for row in daemon.rows("select id from tracks")} == acknowledged


async def test_the_daemon_leaves_as_soon_as_it_is_drained(make_daemon: MakeDaemon, listener: socket.socket):
    daemon = make_daemon(Plan(destinations=WAREHOUSE, server='drain = "1h"'))
    await daemon.start(listener=listener)

    assert await daemon.stop() == 0  # an hour later, were it to wait for its time to pass


async def test_systemd_starts_it_at_the_first_connection(make_daemon: MakeDaemon, http: aiohttp.ClientSession):
    daemon = make_daemon(Plan(destinations=WAREHOUSE))
    port = daemon.port
    daemon.port = 1  # the configuration's own address would fail: the socket must be systemd's
    daemon.write(Plan(destinations=WAREHOUSE))
    events = tracks(1)

    daemon.spawn(wrapper=["/usr/bin/systemd-socket-activate", "-l", f"127.0.0.1:{port}"])
    await until(lambda: is_listened_to(port), "systemd-socket-activate listens")
    assert await daemon.readiness() == 0, "nothing was asked of it yet, so nothing runs"
    await Client(f"http://127.0.0.1:{port}", http).insist(events)

    await daemon.settled("warehouse")
    assert await daemon.stop() == 0
    assert daemon.rows("select id from tracks") == [(each,) for each in ids(events)]


@asynccontextmanager
async def loading(url: str, acknowledged: set[str], troubles: list[str]) -> AsyncIterator[None]:
    """Clients that send until the block is left. Whatever is not a 200 is trouble."""
    stop = asyncio.Event()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as keeping,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as fresh,
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(CLIENTS):
            client = Client(url, (keeping, fresh)[number % 2])
            tasks.create_task(send_until(stop, client, acknowledged, troubles))
        try:
            yield
        finally:
            stop.set()


async def send_until(stop: asyncio.Event, client: Client, acknowledged: set[str], troubles: list[str]) -> None:
    while not stop.is_set():
        pause = asyncio.get_running_loop().time() + 1 / PER_CLIENT_PER_S
        event = track()
        try:
            status, _ = await client.send([event])
        except (aiohttp.ClientError, TimeoutError) as error:
            troubles.append(repr(error))
            continue
        if status == 200:
            acknowledged.add(event["messageId"])
        else:
            troubles.append(f"answered {status}")
        await asyncio.sleep(max(0, pause - asyncio.get_running_loop().time()))


def is_listened_to(port: int) -> bool:
    """Asks the kernel and not the port, since a connection would start the daemon."""
    with open("/proc/net/tcp") as table:  # noqa: PTH123 - a table of the kernel, not a file
        return any(f":{port:04X} 00000000:0000 0A" in line for line in table)
