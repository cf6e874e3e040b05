"""A backfill that is killed, and given again: every event of the archive is in the warehouse once."""

import asyncio
import random
from typing import Any

import aiohttp
import pytest

from gateway.warehouses.archive import ArchiveSettings
from tests.e2e.harness.configuration import WAREHOUSE, Plan
from tests.e2e.harness.daemon import Daemon, MakeDaemon, Said
from tests.e2e.harness.sending import Client, ids, tracks
from tests.e2e.harness.waiting import until
from tests.integration.warehouses.support.past import keep_days

DAYS, A_DAY = 60, 50
COMMAND = ("replay", "--destination", "warehouse", "--from-archive", "archive")


@pytest.mark.parametrize(
    "kills",
    [pytest.param(4, id="short"), pytest.param(60, id="long", marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
async def test_it_is_killed_again_and_again_and_stores_everything_once(
    make_daemon: MakeDaemon, http: aiohttp.ClientSession, kills: int
):
    daemon = make_daemon(Plan())
    archive = ArchiveSettings(url=str(daemon.directory / "archive"))
    switched_off = f'[destinations.archive]\ntype = "archive"\nurl = "{archive.url}"\nenabled = false\n'
    daemon.write(Plan(destinations=f"{WAREHOUSE}batch = {{ max_events = {A_DAY}, max_wait = 0.1 }}\n{switched_off}"))
    await keep_days(archive, DAYS, A_DAY)
    rng = random.Random()

    for _ in range(kills):
        await daemon.start()
        said = await killed_meanwhile(daemon, http, rng.randrange(1, 5))
        assert said.code == 3, said.out + said.err
        assert "the daemon has gone" in said.err or "no daemon answers" in said.err
    await daemon.start()
    live = tracks(100)
    await Client(daemon.url, http).accept(live)
    said = await daemon.command(*COMMAND)

    await daemon.settled("warehouse")
    assert said.code == 0, said.out + said.err
    assert await daemon.stop() == 0
    stored = [row[0] for row in daemon.rows("select id from tracks")]
    assert sorted(stored) == sorted([*(f"m{n}" for n in range(DAYS * A_DAY)), *ids(live)])


async def killed_meanwhile(daemon: Daemon, http: aiohttp.ClientSession, loads: int) -> Said:
    """What the command said when the daemon died after so many loads."""

    async def is_under_way() -> bool:
        async with http.get(f"{daemon.admin}/api/status") as answer:
            backfills: list[dict[str, Any]] = (await answer.json())["backfills"]
        return any(each["rows"] + each["duplicates"] >= loads * A_DAY for each in backfills)

    async with asyncio.TaskGroup() as tasks:
        command = tasks.create_task(daemon.command(*COMMAND))
        await until(is_under_way, "the backfill has loaded something", every_s=0.01)
        await daemon.kill()
    return command.result()
