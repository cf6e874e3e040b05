"""Acknowledged means durable: the daemon is killed again and again under load, and no acknowledged event is missing."""

import asyncio
import random
from collections.abc import Sequence

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.harness.configuration import WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.receiver import Events, MakeReceiver, take
from tests.e2e.harness.sending import Client, Event, ids, track

CLIENTS = 32
LIVES_UP_TO_S = 0.9
"""Counted from the start of the process, so that some kills hit it while it starts."""
READY_EVERY = 2
"""Every second life lasts until the daemon has taken traffic, or a slow machine would only ever kill the start."""


@pytest.mark.parametrize(
    "kills",
    [pytest.param(20, id="short"), pytest.param(500, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(7200)])],
)
async def test_no_acknowledged_event_is_lost_or_stored_twice(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession, kills: int
):
    receiver = await make_receiver()
    receiver.answer = sometimes_slow
    daemon = make_daemon(Plan(destinations=WAREHOUSE + webhook("hook", receiver.url)))
    acknowledged: dict[str, int] = {}

    async with asyncio.TaskGroup() as tasks:
        stop = asyncio.Event()
        for number in range(CLIENTS):
            client = Client(daemon.url, http)
            tasks.create_task(send_until(stop, client, acknowledged, random.Random(number)))
        await live_and_die(daemon, kills)
        await daemon.start()
        stop.set()

    await daemon.settled("hook", "warehouse")
    ledger = await daemon.command("ledger")
    assert ledger.code == 0, ledger.out + ledger.err
    assert await daemon.stop() == 0
    rows = daemon.rows("select id, (properties ->> 'number')::bigint from tracks")
    assert len(acknowledged) > kills
    assert len(rows) == len({message_id for message_id, _ in rows}), "an event was stored twice"
    assert acknowledged.items() - dict(rows).items() == set(), "an acknowledged event is not in DuckDB as it was sent"
    assert sorted(daemon.rows("select id, number from order_completed")) == sorted(rows), "its own table has other rows"
    assert acknowledged.keys() - receiver.taken.keys() == set(), "the webhook never got an acknowledged event"


async def sometimes_slow(request: web.Request, events: Events) -> web.Response:
    """A receiver that works but is not always quick, so that kills hit sends in flight."""
    await asyncio.sleep(random.choice((0, 0, 0.05)))
    return await take(request, events)


async def live_and_die(daemon: Daemon, kills: int) -> None:
    """Start and kill the daemon so many times, each at a random instant."""
    rng = random.Random()
    for life in range(kills):
        daemon.spawn()
        if life % READY_EVERY == 0:
            await daemon.ready()
        await asyncio.sleep(rng.uniform(0, LIVES_UP_TO_S))
        await daemon.kill()


async def send_until(stop: asyncio.Event, client: Client, acknowledged: dict[str, int], rng: random.Random) -> None:
    """Single events and batches; what is not acknowledged is sent again with the same ids."""
    while not stop.is_set():
        events = [track(number=rng.getrandbits(48)) for _ in range(rng.choice((1, 1, 1, 7, 50)))]
        await client.insist(events)
        acknowledged |= numbers(events)
        await asyncio.sleep(rng.uniform(0, 0.02))


def numbers(events: Sequence[Event]) -> dict[str, int]:
    """The property of each event that must arrive unchanged."""
    assert len(ids(events)) == len(events)
    return {event["messageId"]: event["properties"]["number"] for event in events}
