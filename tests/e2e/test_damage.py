"""A damaged queue file keeps nobody waiting: it is set aside, events go on being taken, and what can be read of it is
delivered."""

import os
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.harness.configuration import Plan, webhook
from tests.e2e.harness.daemon import MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver, refuse, take
from tests.e2e.harness.sending import Client, ids, tracks
from tests.e2e.harness.waiting import until

REQUESTS, EVENTS = 40, 100
"""Each request becomes a chunk of its own, so that a damaged page costs some and not all."""
PAGE = 4096


def scribble(database: Path) -> None:
    """One page in the middle is overwritten."""
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 2 // PAGE * PAGE)
        file.write(os.urandom(PAGE))


def cut_short(database: Path) -> None:
    """The last third is gone."""
    os.truncate(database, database.stat().st_size * 2 // 3)


def replace(database: Path) -> None:
    """Nothing of it is left."""
    database.write_bytes(os.urandom(2**20))


@pytest.mark.parametrize(("damage", "least"), [(scribble, 0.5), (cut_short, 0.2), (replace, 0.0)])
async def test_a_damaged_queue_is_set_aside_and_salvaged(
    make_daemon: MakeDaemon,
    make_receiver: MakeReceiver,
    http: aiohttp.ClientSession,
    damage: Callable[[Path], None],
    least: float,
):
    receiver = await make_receiver()
    receiver.answer = refuse(503)
    daemon = make_daemon(Plan(destinations=webhook("hook", receiver.url)))
    await daemon.start()
    client = Client(daemon.url, http)
    before = tracks(REQUESTS * EVENTS)
    for first in range(0, len(before), EVENTS):
        await client.accept(before[first : first + EVENTS])
    assert await daemon.stop() == 0
    damage(daemon.directory / "queue" / "queue.db")

    receiver.answer = take
    await daemon.start()
    after = tracks(EVENTS)
    await client.accept(after)

    await until(lambda: ids(after) <= receiver.taken.keys(), "what came after the damage is delivered")
    await daemon.settled("hook")
    assert receiver.taken.keys() <= ids(before) | ids(after), "an event was made up"
    assert len(ids(before) & receiver.taken.keys()) >= least * len(before)
    assert await daemon.metric("headwater_queue_salvages_total") == 1
    ledger = await daemon.command("ledger")
    assert ledger.code == 0, ledger.out
    assert list((daemon.directory / "queue").rglob("queue.db"))[1:], "the damaged file is kept for a closer look"
