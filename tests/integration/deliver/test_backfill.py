"""A backfill whose warehouse has troubles."""

import asyncio
from pathlib import Path

import pytest

from gateway.deliver.backfills import Running
from gateway.model.envelope import Envelope
from gateway.model.errors import WarehouseError
from gateway.warehouses.archive import ArchiveSettings, Stretch, open_past
from tests.integration.deliver.support.gateway import Eventually, Gateway, Run
from tests.integration.deliver.support.sqlite_warehouse import Store, failing, nothing
from tests.integration.warehouses.support.past import keep, keep_days, tracks
from tests.integration.warehouses.support.store import RECEIVED_AT_MS


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "warehouse.db")


@pytest.fixture
def archive(tmp_path: Path) -> ArchiveSettings:
    return ArchiveSettings(url=str(tmp_path / "archive"))


def begun(gateway: Gateway, archive: ArchiveSettings) -> Running:
    return gateway.delivery.backfill("dw", "archive", open_past(archive, Stretch(0, 2**42)))


async def test_rows_that_it_can_never_take_are_found_and_told_and_become_no_letters(
    run: Run, store: Store, archive: ArchiveSettings, eventually: Eventually
):
    poison = {3, 17, 40}
    events = [tracks(n, 1, **({"poison": True} if n in poison else {}))[0] for n in range(120)]
    await keep(archive, events, Envelope("web", RECEIVED_AT_MS), 0)

    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        backfill, task = begun(gateway, archive)
        await eventually(task.done)

        status = backfill.status()
        assert (status.state, status.events, status.rows, status.refused) == ("done", 120, 117, 3)
        told = [(refusal.message_id, refusal.reason, refusal.error) for refusal in backfill.shortfall().refusals]
        assert told == [(f"m{n}", "rejected", "a row that no table can hold") for n in sorted(poison)]
        assert store.rows() == sorted({f"m{n}" for n in range(120)} - {f"m{n}" for n in poison})
        assert await gateway.letters("dw") == []


async def test_an_outage_is_waited_for(run: Run, store: Store, archive: ArchiveSettings, eventually: Eventually):
    await keep_days(archive, 3, 50)
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        store.faults.before_load = failing(WarehouseError("connection refused"))
        backfill, task = begun(gateway, archive)
        await eventually(lambda: backfill.status().waiting == "connection refused")

        store.faults.before_load = nothing
        await eventually(task.done)

        assert (backfill.status().state, backfill.status().rows, backfill.status().waiting) == ("done", 150, "")


async def test_a_load_whose_answer_was_lost_stores_nothing_twice(
    run: Run, store: Store, archive: ArchiveSettings, eventually: Eventually
):
    async def once() -> None:
        store.faults.after_commit = nothing
        raise WarehouseError("the connection broke off")

    await keep_days(archive, 3, 50)
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        store.faults.after_commit = once
        backfill, task = begun(gateway, archive)
        await eventually(task.done)

        assert backfill.status().rows + backfill.status().duplicates == 150
        assert store.rows() == sorted(f"m{n}" for n in range(150))


async def test_a_stop_of_the_daemon_ends_it(run: Run, store: Store, archive: ArchiveSettings, eventually: Eventually):
    async def slowly() -> None:
        await asyncio.sleep(0.05)

    await keep_days(archive, 20, 50)
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        store.faults.before_load = slowly
        backfill, task = begun(gateway, archive)
        await eventually(lambda: backfill.status().rows)
        await gateway.delivery.stop(5)

        assert task.done()
        assert backfill.status().state == "stopped"
        assert 0 < len(store.rows()) == backfill.status().rows < 1000


async def test_its_loads_count_as_a_replay_s(run: Run, store: Store, archive: ArchiveSettings, eventually: Eventually):
    await keep_days(archive, 1, 50)
    async with run({"dw": store.settings()}, [store.kind]) as gateway:
        _, task = begun(gateway, archive)
        await eventually(task.done)

        assert gateway.sample("warehouse_rows_total", destination="dw#replay") == 50
        assert gateway.status("dw").next_offset == 0
