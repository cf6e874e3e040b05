"""`headwater replay --from-archive` against a running daemon."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import ClientSession

from gateway.model.envelope import Envelope
from gateway.warehouses.archive import ArchiveSettings
from tests.integration.admin.conftest import Daemon, Headwater
from tests.integration.admin.test_forget import order, until_done
from tests.integration.warehouses.support.past import DAY_MS, FIRST_DAY, keep, keep_days, tracks
from tests.integration.warehouses.support.store import RECEIVED_AT_MS

ORDER = {"destination": "warehouse", "archive": "archive"}
MARK = {"X-Headwater": "1"}
COMMAND = ("replay", "--destination", "warehouse", "--from-archive", "archive")


@pytest.fixture
async def archive(daemon: Daemon, headwater: Headwater, tmp_path: Path) -> ArchiveSettings:
    """One of the configuration, switched off; the warehouse loads few events at once."""
    text = daemon.path.read_text().replace('warehouse.duckdb"\n', 'warehouse.duckdb"\nbatch = { max_events = 10 }\n')
    url = tmp_path / "archive"
    daemon.path.write_text(f'{text}\n[destinations.archive]\ntype = "archive"\nurl = "{url}"\nenabled = false\n')
    await headwater("reload")
    return ArchiveSettings(url=str(url))


async def count(headwater: Headwater, where: str = "true") -> int:
    said = await headwater("sql", f"select count(*) as n from tracks where {where}", "--format", "json")
    return int(json.loads(said.output)[0]["n"])


async def test_a_warehouse_gets_the_past(headwater: Headwater, archive: ArchiveSettings):
    await keep_days(archive, 3, 10)
    await keep_days(archive, 1, 5, "backend", 1000)

    said = await headwater(*COMMAND)
    again = await headwater(*COMMAND)

    assert (said.exit_code, again.exit_code) == (0, 0)
    rows = [line.split() for line in said.stdout.splitlines()]
    assert rows[2:] == [
        ["objects", "4"],
        ["events", "35"],
        ["stored", "rows", "35"],
        ["there", "already", "duplicates", "0"],
    ]
    assert "of 3 days done" in said.stderr
    assert ["there", "already", "duplicates", "35"] in [line.split() for line in again.stdout.splitlines()]
    assert await count(headwater) == 35


async def test_a_stretch_and_a_source_can_be_named(headwater: Headwater, archive: ArchiveSettings):
    await keep_days(archive, 3, 10)
    await keep_days(archive, 3, 10, "backend", 1000)
    second = f"{datetime.fromtimestamp((RECEIVED_AT_MS + DAY_MS) / 1000, UTC):%Y-%m-%d}"
    third = f"{datetime.fromtimestamp((RECEIVED_AT_MS + 2 * DAY_MS) / 1000, UTC):%Y-%m-%d}"

    said = await headwater(*COMMAND, "--from", second, "--to", third, "--source", "backend")

    assert said.exit_code == 0
    assert await count(headwater) == await count(headwater, "id in ('m1010', 'm1019')") * 5 == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--destination", "warehouse", "--from-archive", "crm"), '"crm" is no archive of the configuration'),
        (("--destination", "warehouse", "--from-archive", "crm"), "Hint: one of: archive"),
        (("--destination", "nowhere", "--from-archive", "archive"), '"nowhere" is not a warehouse that runs'),
        (("--destination", "crm", "--from-archive", "archive"), '"crm" is not a warehouse that runs'),
        ((*COMMAND[1:], "--from", "2026-01-02", "--to", "2026-01-01"), "the replay ends before it begins"),
        ((*COMMAND[1:], "--from", "yesterday"), '"yesterday" is not a time'),
        ((*COMMAND[1:], "--to", "2025-01-01"), "the archive archive has no events of that time"),
        ((*COMMAND[1:], "--source", "shop"), 'the archive archive has nothing of a source "shop"'),
        ((*COMMAND[1:], "--source", "shop"), "it has: web"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    headwater: Headwater, archive: ArchiveSettings, arguments: tuple[str, ...], words: str
):
    await keep_days(archive, 1, 10)

    said = await headwater("replay", *arguments)

    assert said.exit_code == 1
    assert words in said.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--destination", "crm"), "--from TIME"),
        (("--destination", "crm", "--from", "2h ago", "--source", "web"), "--source is for --from-archive"),
    ],
)
async def test_a_replay_from_the_queue_wants_other_options(
    headwater: Headwater, arguments: tuple[str, ...], words: str
):
    said = await headwater("replay", *arguments)

    assert said.exit_code == 2
    assert words in said.output


async def test_an_archive_that_is_out_of_reach_says_so(headwater: Headwater, archive: ArchiveSettings, tmp_path: Path):
    (tmp_path / "archive").write_text("in the way")

    said = await headwater(*COMMAND)

    assert said.exit_code == 1
    assert "the archive archive cannot be read" in said.output


async def test_what_could_not_be_read_is_told_in_the_end(
    headwater: Headwater, archive: ArchiveSettings, tmp_path: Path
):
    await keep_days(archive, 3, 10)
    broken, *_ = sorted((tmp_path / "archive/web").rglob("*.gz"))
    broken.write_bytes(b"no gzip")

    said = await headwater(*COMMAND)

    assert said.exit_code == 1
    assert ["unreadable", "objects", "1"] in [line.split() for line in said.stdout.splitlines()]
    assert f"{broken.relative_to(tmp_path / 'archive')} cannot be read: Not a gzipped file" in said.stdout
    assert await count(headwater) == 20


async def test_status_shows_it_and_it_ends_with_whoever_gave_the_order(
    daemon: Daemon, http: ClientSession, headwater: Headwater, archive: ArchiveSettings
):
    await keep_days(archive, 600, 10)

    async with http.post("/api/backfill", json=ORDER, headers=MARK) as answer:
        await answer.content.readline()
        await daemon.until(lambda: daemon.delivery.backfills.status()[0].rows)
        shown = (await headwater("status")).output
        second = await headwater(*COMMAND)
    await daemon.until(lambda: not daemon.delivery.backfills.status())

    assert "backfill of  from" in shown
    assert "warehouse    archive" in shown
    assert second.exit_code == 1
    assert "warehouse is being backfilled already" in second.output
    assert 0 < await count(headwater) < 6_000


async def test_a_daemon_that_stops_says_how_to_go_on(daemon: Daemon, headwater: Headwater, archive: ArchiveSettings):
    await keep_days(archive, 30, 10)

    async with asyncio.TaskGroup() as tasks:
        command = tasks.create_task(headwater(*COMMAND))
        await daemon.until(lambda: any(each.days_done > 1 for each in daemon.delivery.backfills.status()))
        await daemon.delivery.backfills.stop(5)
    said = command.result()

    assert said.exit_code == 1
    assert (
        "broken off: the daemon stops; what is loaded stays; give the order again, or with --from 2025-" in said.stdout
    )


async def test_who_is_forgotten_meanwhile_stays_forgotten(
    daemon: Daemon, http: ClientSession, headwater: Headwater, archive: ArchiveSettings
):
    """Her event is read, and waits for its turn in memory, while she is forgotten everywhere else."""
    daemon.path.write_text(
        daemon.path.read_text().replace("enabled = false", "").replace("max_events = 10", "max_events = 1000")
    )
    await headwater("reload")
    hers = {"type": "identify", "messageId": "a1", "anonymousId": "d9", "traits": {"email": "ada@shop.example"}}
    await keep(archive, [*tracks(0, 20), hers], Envelope("web", RECEIVED_AT_MS), 0)
    await daemon.delivery.opened_warehouse("warehouse", 5)
    handle = daemon.delivery._handles["warehouse"]

    async with asyncio.TaskGroup() as tasks, handle.loading:
        command = tasks.create_task(headwater(*COMMAND))
        await daemon.until(lambda: handle.loading._waiters)
        await order(http, "ada@shop.example")
        await until_done(daemon)
    said = command.result()

    assert said.exit_code == 0, said.output
    assert await count(headwater) == 20
    held = json.loads((await headwater("export-person", "d9")).output)
    assert held["warehouses"] == {}


async def test_it_waits_while_somebody_is_being_forgotten(
    daemon: Daemon, http: ClientSession, headwater: Headwater, archive: ArchiveSettings
):
    await keep_days(archive, 1, 10)
    job = await daemon.queue.eraser.open("ada", 0)

    async with asyncio.TaskGroup() as tasks:
        command = tasks.create_task(headwater(*COMMAND))
        await daemon.until(lambda: any(each.waiting for each in daemon.delivery.backfills.status()))
        assert "a person is being forgotten" in (await headwater("status")).output
        await order(http, "ada")
        await until_done(daemon)
    said = command.result()

    assert (job.id, said.exit_code) == (1, 0)
    assert f"{FIRST_DAY}: 1 of 1 day done" in said.stderr
    assert await count(headwater) == 10
