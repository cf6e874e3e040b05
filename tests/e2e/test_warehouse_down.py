"""A warehouse that is away for as long as the daemon runs costs nothing but patience."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from tests.e2e.harness.configuration import QUICK_RETRY, WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver
from tests.e2e.harness.sending import Client, ids, tracks
from tests.e2e.harness.waiting import until

LOCK = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("locked", flush=True)
sys.stdin.read()
connection.close()
"""


PATIENT = WAREHOUSE + QUICK_RETRY


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another process has the file open for writing, so nobody else may open it."""
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        try:
            yield
        finally:
            holder.communicate(timeout=30)


async def test_a_locked_file_loses_nothing(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(Plan(destinations=PATIENT + webhook("hook", receiver.url)))
    client = Client(daemon.url, http)
    before, after = tracks(1000), tracks(1000)

    with locked(daemon.database):
        await daemon.start()
        await client.accept(before)
        assert await daemon.stop() == 0
        await daemon.start()
        await client.accept(after)
        await until(lambda: ids(before + after) <= receiver.taken.keys(), "the webhook is not held up")
        ledger = await daemon.command("ledger")
        assert ledger.code == 0, ledger.out
        assert (await daemon.account("warehouse"))["pending"] == 2000

    await daemon.settled("warehouse")
    assert await daemon.stop() == 0
    assert sorted(daemon.rows("select id from tracks")) == sorted((each,) for each in ids(before + after))


async def test_a_missing_directory_loses_nothing(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(Plan(destinations=PATIENT + webhook("hook", receiver.url)))
    volume = daemon.directory / "volume"
    volume.write_text("The disk is not mounted: a file is in the place of the directory.")
    daemon.database = volume / "warehouse.duckdb"
    daemon.write(Plan(destinations=PATIENT + webhook("hook", receiver.url)))
    client = Client(daemon.url, http)
    events = tracks(1000)

    await daemon.start()
    await client.accept(events)
    await until(lambda: ids(events) <= receiver.taken.keys(), "the webhook is not held up")
    status = await daemon.command("status")
    assert "warehouse" in status.out

    volume.unlink()
    volume.mkdir()
    await daemon.settled("warehouse")
    assert await daemon.stop() == 0
    assert sorted(daemon.rows("select id from tracks")) == sorted((each,) for each in ids(events))
