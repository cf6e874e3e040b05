"""Six webhooks that are broken in six ways delay neither a seventh nor the warehouse, and lose nothing themselves."""

import aiohttp

from tests.e2e.harness.configuration import WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver, Receiver, hang, refuse, reject, reset, take
from tests.e2e.harness.sending import Client, Event, ids, tracks
from tests.e2e.harness.waiting import until

EVENTS = 1000
POISONOUS = 137
"""The number of the one event that its receiver never takes."""
FAULTS = {
    "hanging": hang,
    "resetting": reset,
    "failing": refuse(500),
    "busy": refuse(429, Retry_After="1"),
    "locked": refuse(401),
    "picky": reject(lambda event: event["properties"]["number"] == POISONOUS),
}


async def test_broken_destinations_delay_nobody_and_lose_nothing(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    healthy: Receiver = await make_receiver()
    broken: dict[str, Receiver] = {name: await make_receiver() for name in FAULTS}
    for name, fault in FAULTS.items():
        broken[name].answer = fault
    daemon = make_daemon(Plan(destinations=destinations(broken | {"healthy": healthy})))
    await daemon.start()
    events = tracks(EVENTS)
    client = Client(daemon.url, http)
    for start in range(0, EVENTS, 100):
        await client.accept(events[start : start + 100])

    await until(lambda: ids(events) == healthy.taken.keys(), "the healthy webhook has everything")
    await daemon.settled("warehouse")
    assert await daemon.count("tracks") == EVENTS
    assert max(healthy.taken.values()) == 1
    for name in ("hanging", "resetting", "failing", "busy", "locked"):
        assert broken[name].taken.total() == 0
        assert (await daemon.account(name))["pending"] == EVENTS
    await paused_after_few_requests(daemon, broken["locked"])
    await only_the_poison_is_dead(daemon, broken["picky"], events)
    balance = await daemon.command("ledger")
    assert balance.code == 0, balance.out

    for receiver in broken.values():
        receiver.answer = take
    assert (await daemon.command("dead", "retry", "picky", "--all")).code == 0
    assert (await daemon.command("resume", "locked")).code == 0
    for name, receiver in broken.items():
        await until(lambda receiver=receiver: ids(events) == receiver.taken.keys(), f"{name}, mended, has everything")
    await daemon.settled(*broken)
    balance = await daemon.command("ledger")
    assert balance.code == 0, balance.out


def destinations(receivers: dict[str, Receiver]) -> str:
    """The webhooks, which wait a second at most for an answer, and the warehouse."""
    hooks = (webhook(name, each.url, 'batched = true\ntimeout = "1s"\n') for name, each in receivers.items())
    return "".join(hooks) + WAREHOUSE


async def paused_after_few_requests(daemon: Daemon, locked: Receiver) -> None:
    """Refused credentials pause the destination instead of burning the backlog, and say so."""

    async def is_paused() -> bool:
        return await daemon.metric("headwater_destination_paused", destination="locked") == 1

    await until(is_paused, "the destination that answers 401 is paused")
    assert locked.requests <= 10
    status = await daemon.command("status")
    assert any("locked" in line and "paused" in line for line in status.out.splitlines()), status.out


async def only_the_poison_is_dead(daemon: Daemon, picky: Receiver, events: list[Event]) -> None:
    """99 of its batch arrive; the one that is refused lies in the dead letters with the reason."""
    await daemon.settled("picky")
    poison = events[POISONOUS]["messageId"]
    assert picky.taken.keys() == ids(events) - {poison}
    letters = await daemon.command("dead", "list")
    assert letters.code == 0, letters.err
    lines = [line for line in letters.out.splitlines() if "picky" in line]
    assert len(lines) == 1, letters.out
    assert poison in lines[0]
    assert "400" in lines[0]
