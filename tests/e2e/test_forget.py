"""A person is forgotten, whatever happens meanwhile: nothing of them is left in the queue's files, and all that is of
others is there."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from aiohttp import ClientSession, web

from gateway.queue.forgetting import Step
from tests.e2e.harness.configuration import WAREHOUSE, Plan, webhook
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.files import everything_in
from tests.e2e.harness.receiver import Events, MakeReceiver, hang, take
from tests.e2e.harness.sending import Client, Event, ids, track
from tests.e2e.harness.waiting import until

DYING = str(Path(__file__).parent / "harness" / "dying.py")
USER, DEVICE, EMAIL, SECRET = "user-4711-ada", "device-4711-ada", "ada.4711@shop.example", "ada-reads-this-book"
TRACES = [each.encode() for each in (USER, DEVICE, EMAIL, SECRET)]
OTHERS = 30
SOON = 'batch = { max_wait = "100ms" }\n'
HOOK = """
[destinations.hook]
type = "webhook"
url = "{url}"
retry = {{ first_delay = "50ms", max_delay = "500ms", order_wait = "500ms" }}
"""
"""What fails while others are taken is set aside soon."""


def of_ada() -> list[Event]:
    before = track("Viewed", what=SECRET) | {"anonymousId": DEVICE}
    known: Event = {
        "type": "identify",
        "messageId": "identify-ada",
        "userId": USER,
        "anonymousId": DEVICE,
        "traits": {"email": EMAIL, "note": SECRET},
    }
    poison = track("Poison", what=SECRET) | {"userId": USER, "anonymousId": DEVICE}
    stuck = track("Stuck", what=SECRET) | {"userId": USER, "anonymousId": DEVICE}
    return [stuck, before, known, poison]


def of_others() -> list[Event]:
    return [track("Viewed", number=number) | {"userId": f"other-{number}"} for number in range(OTHERS)]


async def answer(_request: web.Request, events: Events) -> web.Response:
    """Poison is refused for good, and what is stuck is tried again; both answers quote what they refuse."""
    names = {event.get("event") for event in events}
    status = 400 if "Poison" in names else 503 if "Stuck" in names else 200
    return web.Response(status=status, text="" if status == 200 else orjson.dumps(events).decode())


async def orders(daemon: Daemon, http: ClientSession) -> list[dict[str, Any]]:
    async with http.get(f"{daemon.admin}/api/forget") as answered:
        found: list[dict[str, Any]] = (await answered.json())["orders"]
        return found


async def letters(daemon: Daemon, http: ClientSession, state: str) -> list[dict[str, Any]]:
    async with http.get(f"{daemon.admin}/api/dead", params={"state": state}) as answered:
        found: list[dict[str, Any]] = (await answered.json())["letters"]
        return found


async def order(daemon: Daemon, http: ClientSession, identifier: str) -> None:
    async with http.post(f"{daemon.admin}/api/forget", json={"id": identifier}, headers={"X-Headwater": "1"}) as said:
        assert said.status == 200, await said.text()


async def fill(daemon: Daemon, http: ClientSession) -> list[Event]:
    """Events of Ada between those of others, two letters of hers, and a refusal that names her. Returns the others'."""
    client = Client(daemon.url, http)
    ada, others = of_ada(), of_others()
    for number in range(OTHERS):
        await client.accept([others[number], *ada[number : number + 1]])
    await client.post("/v1/track", {"type": "track", "messageId": "refused", "userId": USER, "properties": SECRET})

    async def all_is_there() -> bool:
        others.append(track("Viewed") | {"userId": "other-0"})
        await client.accept(others[-1:])
        hook, warehouse = await daemon.account("hook"), await daemon.account("warehouse")
        return hook["dead"] == 1 and len(await letters(daemon, http, "retry")) == 1 and warehouse["delivered"] > OTHERS

    await until(all_is_there, "one letter is dead, and one is tried again")
    return others


def lives() -> Iterator[tuple[str, str]]:
    """Every step's commit, killed before it and after it."""
    for step in get_args(Step)[1:]:
        yield step, "before"
        yield step, "after"


async def send_until(stop: asyncio.Event, client: Client, others: list[Event]) -> None:
    """Others do not stop coming meanwhile; each event until it is acknowledged."""
    while not stop.is_set():
        event = track("Viewed") | {"userId": "other-0"}
        await client.insist([event])
        others.append(event)
        await asyncio.sleep(0.01)


async def live_and_die(daemon: Daemon, step: str, side: str) -> None:
    daemon.spawn(command=(sys.executable, DYING), environ={"HEADWATER_DIES": f"{step} {side}"})
    assert await daemon.wait() == -9, daemon.tail()


async def test_a_person_is_forgotten_though_the_daemon_is_killed_at_every_step(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: ClientSession
):
    receiver = await make_receiver()
    receiver.answer = answer
    daemon = make_daemon(Plan(destinations=WAREHOUSE + SOON + HOOK.format(url=receiver.url)))
    await daemon.start()
    others = await fill(daemon, http)
    written = everything_in(daemon.directory / "queue")
    assert [trace for trace in TRACES if trace not in written] == [], "the search finds what is there"

    await order(daemon, http, EMAIL)
    await daemon.kill()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(send_until(stop, Client(daemon.url, http), others))
        for step, side in lives():
            await live_and_die(daemon, step, side)
        await daemon.start()
        stop.set()

    async def is_done() -> bool:
        return [each["step"] for each in await orders(daemon, http)] == ["done"]

    await until(is_done, "the order is done")
    (done,) = await orders(daemon, http)
    removed = done["removed"]
    assert (removed["events"], removed["letters"], removed["rejects"], removed["suppressed"]) == (4, 2, 1, 2)
    client = Client(daemon.url, http)
    await client.accept([track("Again", what=SECRET) | {"userId": USER}])
    await client.accept([track("Again", what=SECRET) | {"anonymousId": DEVICE}])
    assert await daemon.metric("headwater_events_withheld_total", reason="suppressed") == 2
    others += of_others()
    await client.accept(others[-OTHERS:])
    await daemon.settled("hook", "warehouse")
    for name in ("hook", "warehouse"):
        account = await daemon.account(name)
        assert (account["fault"], account["accepted"]) == ("", len(others) + len(of_ada()))
    assert (await daemon.command("ledger")).code == 0
    assert (await daemon.account("hook"))["dead"] == 1, "a dead letter stays counted as dead"
    assert await daemon.stop() == 0

    written = everything_in(daemon.directory / "queue")
    assert [trace for trace in TRACES if trace in written] == []
    kept = ids(others)
    assert kept <= receiver.taken.keys()
    assert {message_id for (message_id,) in daemon.rows("select id from tracks")} == kept
    assert daemon.rows("select count(*) from identifies") == [(0,)]


async def test_one_whom_no_warehouse_knows_is_forgotten_by_the_bare_identifier(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(Plan(destinations=webhook("hook", receiver.url)))
    await daemon.start()
    client = Client(daemon.url, http)
    await client.accept(of_others())
    await client.accept([track("Viewed", what=SECRET) | {"userId": USER}])
    await daemon.settled("hook")

    tried = await daemon.command("forget", USER, "--dry-run", "--json")
    said = await daemon.command("forget", USER, "--yes")

    assert orjson.loads(tried.out)["removed"]["events"] == 1
    assert said.code == 0, said.err
    assert [line.split()[-1] for line in said.out.splitlines() if "events" in line] == ["1", "0"]
    assert await daemon.stop() == 0
    written = everything_in(daemon.directory / "queue")
    assert USER.encode() not in written
    assert SECRET.encode() not in written
    assert b"other-7" in written


async def test_a_stop_while_the_workers_start_afresh_ends_the_daemon_and_the_order_goes_on(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: ClientSession
):
    receiver = await make_receiver()
    receiver.answer = hang
    daemon = make_daemon(Plan(destinations=webhook("hook", receiver.url), server='drain = "1s"'))
    await daemon.start()
    client = Client(daemon.url, http)
    await client.accept([*of_others(), track("Viewed", what=SECRET) | {"userId": USER}])
    await until(lambda: receiver.requests > 0, "a send is in flight, and hangs")
    await order(daemon, http, USER)

    async def is_restarting() -> bool:
        return [each["step"] for each in await orders(daemon, http)] == ["workers"]

    await until(is_restarting, "the workers are being stopped")
    assert await daemon.stop() == 0

    receiver.answer = take
    await daemon.start()

    async def is_done() -> bool:
        return [each["step"] for each in await orders(daemon, http)] == ["done"]

    await until(is_done, "the order is done")
    await daemon.settled("hook")
    assert (await daemon.account("hook"))["delivered"] == OTHERS
    assert (await daemon.account("hook"))["filtered"] == 1
    assert await daemon.stop() == 0
    assert SECRET.encode() not in everything_in(daemon.directory / "queue")


@pytest.mark.parametrize("identifier", ["null", "00000000-0000-0000-0000-000000000000"])
async def test_what_names_nobody_is_refused(make_daemon: MakeDaemon, http: ClientSession, identifier: str):
    daemon = make_daemon(Plan())
    await daemon.start()

    said = await daemon.command("forget", identifier, "--yes")

    assert said.code == 1
    assert "names nobody" in said.err
    assert await orders(daemon, http) == []
