"""Watching events as they come, on the wire and on the command line."""

import asyncio
import json
import random

import pytest
from aiohttp import ClientSession

from gateway.admin.tail import MATCHES_PER_COMMIT, MOST_WATCHERS
from gateway.model.envelope import Envelope
from tests.integration.admin.conftest import Daemon, Headwater

FRAME = '{{"messageId":"{}","userId":"u-{}",{}}}'


async def store(daemon: Daemon, *kinds: str) -> None:
    """One commit with an event of each kind: the members that make it one."""
    ids = [f"m-{random.getrandbits(64):x}" for _ in kinds]
    raws = [FRAME.format(ids[n], n, kind).encode() for n, kind in enumerate(kinds)]
    await daemon.queue.submit(Envelope("web", 1_700_000_000_000), ids, raws)


TRACK = '"type":"track","event":"Paid"'
PAGE = '"type":"page","name":"Home"'


async def test_events_come_as_lines_of_json_while_they_are_stored(daemon: Daemon, http: ClientSession):
    async with http.get("/api/tail", params={"type": "track"}) as response:
        await store(daemon, PAGE, TRACK)
        first = json.loads(await response.content.readline())
        await store(daemon, TRACK)
        second = json.loads(await response.content.readline())

    assert response.content_type == "application/x-ndjson"
    assert first | {"event": first["event"]["event"]} == {
        "offset": 1,
        "received_at": "2023-11-14T22:13:20.000Z",
        "source": "web",
        "event": "Paid",
    }
    assert second["offset"] == 2


async def test_a_watcher_of_a_flood_gets_its_beginning_and_the_number_of_the_rest(daemon: Daemon, http: ClientSession):
    async with http.get("/api/tail") as response:
        await store(daemon, *[TRACK] * (MATCHES_PER_COMMIT + 50))
        lines = [json.loads(await response.content.readline()) for _ in range(MATCHES_PER_COMMIT + 1)]

    assert [line["offset"] for line in lines[:-1]] == list(range(MATCHES_PER_COMMIT))
    assert lines[-1] == {"skipped": 50}


async def test_the_answer_ends_at_its_limit(daemon: Daemon, http: ClientSession):
    async with http.get("/api/tail", params={"limit": 2}) as response:
        await store(daemon, TRACK)
        await store(daemon, TRACK)
        lines = (await response.read()).splitlines()

    assert [json.loads(line)["offset"] for line in lines] == [0, 1]


async def test_the_number_of_watchers_is_bounded(http: ClientSession):
    watching = [await http.get("/api/tail") for _ in range(MOST_WATCHERS)]

    async with http.get("/api/tail") as response:
        assert response.status == 503
        assert (await response.json())["error"] == f"{MOST_WATCHERS} watch already"
    for each in watching:
        each.close()


@pytest.mark.parametrize("form", [(), ("--json",)])
async def test_the_command_shows_one_event_a_line_and_leaves_the_terminal_alone(
    daemon: Daemon, headwater: Headwater, form: tuple[str, ...]
):
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(headwater("tail", "--type", "track", "--limit", "2", *form))
        while not watching.done():
            await store(daemon, PAGE, r'"type":"track","event":"Paid\u001b[2J","properties":{"total":3}')
            await asyncio.sleep(0.01)

    lines = watching.result().stdout.splitlines()
    assert watching.result().exit_code == 0
    assert len(lines) == 2
    assert "\x1b" not in watching.result().stdout
    if form:
        assert [json.loads(line)["event"]["properties"] for line in lines] == [{"total": 3}] * 2
    else:
        assert lines[0].split("  ") == [
            "2023-11-14T22:13:20.000Z",
            "web",
            "track",
            r"Paid\x1b[2J",
            "u-1",
            '{"total": 3}',
        ]
