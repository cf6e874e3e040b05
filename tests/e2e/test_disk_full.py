"""A full disk: new events are refused with 503, what was acknowledged is delivered all the same, and when there is room
again the daemon goes on by itself."""

import asyncio
import random
import string
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.harness.configuration import WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver, refuse, take
from tests.e2e.harness.sending import Client, Event, ids, track
from tests.e2e.harness.waiting import until

MIB = 2**20
NOISE = string.ascii_letters + string.digits


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB. Only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_full_disk_refuses_and_recovers(
    small_disk: Path, make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    receiver.answer = refuse(503)
    daemon = make_daemon(
        Plan(
            destinations=WAREHOUSE + webhook("hook", receiver.url),
            queue=f'path = "{small_disk}/queue"\nmin_free = "4MiB"\nreserve = "4MiB"\nmax_bytes = "1GiB"\n',
        )
    )
    await daemon.start()
    client = Client(daemon.url, http)
    acknowledged: set[str] = set()

    ballast = small_disk / "another program"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fill(ballast))
        headers = await send_until_refused(client, acknowledged)

    assert headers["Retry-After"].isdigit()
    assert "Retry-After" in headers["Access-Control-Expose-Headers"]
    await until(lambda: is_known_to_refuse(daemon), "readiness and metrics say that nothing is taken")
    assert len(acknowledged) > 0

    receiver.answer = take  # the disk is still full: delivery goes on nevertheless
    await until(lambda: acknowledged <= receiver.taken.keys(), "the webhook has what was acknowledged")

    ballast.unlink()
    await daemon.ready()
    later = [noisy()]
    await client.insist(later)
    await until(lambda: ids(later) <= receiver.taken.keys(), "the webhook has what came after the recovery")
    await daemon.settled("hook", "warehouse")
    ledger = await daemon.command("ledger")
    assert ledger.code == 0, ledger.out
    assert await daemon.stop() == 0
    rows = [row[0] for row in daemon.rows("select id from tracks")]
    assert len(rows) == len(set(rows))
    assert (acknowledged | ids(later)) - set(rows) == set()


async def test_a_used_up_budget_refuses_until_the_backlog_is_delivered(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    receiver.answer = refuse(503)
    daemon = make_daemon(
        Plan(
            destinations=WAREHOUSE + webhook("hook", receiver.url),
            queue='max_bytes = "4MiB"\nretention = "0s"\nreserve = "1MiB"\nmin_free = "1MiB"\n',
        )
    )
    await daemon.start()
    client = Client(daemon.url, http)
    acknowledged: set[str] = set()

    headers = await send_until_refused(client, acknowledged)
    assert headers["Retry-After"].isdigit()

    receiver.answer = take
    await until(lambda: acknowledged <= receiver.taken.keys(), "the webhook has what was acknowledged")
    later = [noisy()]
    await client.insist(later)
    await until(lambda: ids(later) <= receiver.taken.keys(), "the webhook has what came after the recovery")


async def is_known_to_refuse(daemon: Daemon) -> bool:
    return await daemon.readiness() == 503 and await daemon.metric("headwater_queue_writable") == 0


def noisy() -> Event:
    """An event that does not compress."""
    return track(noise="".join(random.choices(NOISE, k=2000)))


async def fill(path: Path) -> None:
    """Write until there is no room at all, while events keep coming."""
    with path.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * MIB)
            except OSError:
                return
            await asyncio.sleep(0.02)


async def send_until_refused(client: Client, acknowledged: set[str]) -> dict[str, str]:
    """Send batches until one is answered 503; the answer is its headers."""
    while True:
        events = [noisy() for _ in range(50)]
        status, headers = await client.send(events)
        if status != 200:
            assert status == 503
            return headers
        acknowledged |= ids(events)
