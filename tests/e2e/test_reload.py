"""SIGHUP: destinations and sources change while connections stay open, and a bad file changes nothing."""

import asyncio

import aiohttp

from tests.e2e.harness.configuration import SOURCES, Plan, webhook
from tests.e2e.harness.daemon import Daemon, MakeDaemon
from tests.e2e.harness.receiver import MakeReceiver, Receiver
from tests.e2e.harness.sending import PAGE, Client, Event, ids, track
from tests.e2e.harness.waiting import until

NEW_KEY = "the-new-key"
NEW_SOURCE = f'[sources.shop]\nwrite_keys = ["{NEW_KEY}"]\nallowed_origins = ["{PAGE}"]\n'


async def test_a_reload_adds_without_dropping_a_connection(make_daemon: MakeDaemon, make_receiver: MakeReceiver):
    first, second = await make_receiver(), await make_receiver()
    daemon = make_daemon(Plan(destinations=hook("first", first)))
    await daemon.start()
    sent: set[str] = set()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as one_connection:
        ports: set[int] = set()
        client = Client(daemon.url, one_connection)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send_until(stop, client, sent, ports, one_connection))
            await until(lambda: len(sent) > 10, "events are taken")
            daemon.write(
                Plan(
                    sources=SOURCES + NEW_SOURCE,
                    destinations=hook("first", first) + hook("second", second),
                )
            )
            daemon.reload()
            newcomer = [track()]
            await taken_with(daemon, one_connection, newcomer)
            stop.set()
    assert len(ports) == 1, "the connection was dropped"

    await until(lambda: sent | ids(newcomer) == first.taken.keys(), "the first destination has everything")
    await until(lambda: ids(newcomer) <= second.taken.keys(), "the second has what came after it was added")


async def test_a_bad_file_is_refused_and_the_old_one_stays(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    first, second = await make_receiver(), await make_receiver()
    good = Plan(destinations=hook("first", first))
    daemon = make_daemon(good)
    await daemon.start()
    client = Client(daemon.url, http)

    for bad in (
        Plan(destinations='[destinations.first]\ntype = "webhook"\nurll = "http://127.0.0.1/"\n'),
        Plan(destinations="this is not TOML"),
        Plan(sources="", destinations=hook("first", first)),
    ):
        said_before = daemon.log.read_text()
        daemon.write(bad)
        daemon.reload()
        await until(
            lambda before=said_before: str(daemon.config) in daemon.log.read_text().removeprefix(before),
            "the log says what is wrong with the file",
        )
        events = [track()]
        await client.accept(events)
        await until(lambda events=events: ids(events) <= first.taken.keys(), "the old configuration is at work")

    daemon.write(Plan(destinations=hook("first", first) + hook("second", second)))
    daemon.reload()

    async def is_told() -> bool:
        await client.accept([track()])
        return second.taken.total() > 0

    await until(is_told, "the mended file is at work")


def hook(name: str, receiver: Receiver) -> str:
    return webhook(name, receiver.url)


async def send_until(
    stop: asyncio.Event, client: Client, sent: set[str], ports: set[int], session: aiohttp.ClientSession
) -> None:
    """One event after the other over the only connection, whose own port is noted."""
    while not stop.is_set():
        event = track()
        await client.accept([event])
        sent.add(event["messageId"])
        ports |= our_ports(session)
        await asyncio.sleep(0.005)


def our_ports(session: aiohttp.ClientSession) -> set[int]:
    """Local ports of the session's pooled connections."""
    assert session.connector is not None
    pooled = [entry for entries in session.connector._conns.values() for entry in entries]
    return {proto.transport.get_extra_info("sockname")[1] for proto, _ in pooled if proto.transport is not None}


async def taken_with(daemon: Daemon, session: aiohttp.ClientSession, events: list[Event]) -> None:
    """Wait until the key that the reload brought is taken."""
    newcomer = Client(daemon.url, session, NEW_KEY)

    async def is_taken() -> bool:
        return (await newcomer.send(events))[0] == 200

    await until(is_taken, "the new write key is taken")


async def test_a_reload_takes_changed_code_and_refuses_code_that_cannot_be_loaded(
    make_daemon: MakeDaemon, make_receiver: MakeReceiver, http: aiohttp.ClientSession
):
    receiver = await make_receiver()
    daemon = make_daemon(Plan())
    code = daemon.directory / "mark.py"
    daemon.write(Plan(destinations=hook("first", receiver) + f'transforms = ["{code}"]\n'))
    code.write_text(marking("one"))
    await daemon.start()
    client = Client(daemon.url, http)

    async def mark_of_a_new_event() -> str:
        events = [track()]
        await client.accept(events)
        await until(lambda: ids(events) <= receiver.taken.keys(), "the event arrived")
        (message_id,) = ids(events)
        mark: str = receiver.events[message_id]["properties"]["mark"]
        return mark

    assert await mark_of_a_new_event() == "one"

    code.write_text("import no_such_module\n" + marking("two"))
    refused = await daemon.command("reload")
    assert refused.code == 1
    assert "no_such_module" in refused.err
    assert await mark_of_a_new_event() == "one"

    code.write_text(marking("two"))
    daemon.reload()

    async def is_marked_anew() -> bool:
        return await mark_of_a_new_event() == "two"

    await until(is_marked_anew, "the changed code is at work")


def marking(mark: str) -> str:
    """A transform that marks events."""
    return f"async def transform(event):\n    event['properties']['mark'] = '{mark}'\n    return event\n"
