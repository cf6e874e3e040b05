"""A warehouse gets the past that an archive has kept."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.config import EnrichSettings, TrackingPlanSettings
from gateway.config.code import read_transform
from gateway.deliver.backfill import Backfill
from gateway.deliver.backfill_status import BackfillStatus
from gateway.deliver.backfills import Running
from gateway.deliver.delivery import Treatment
from gateway.govern import suppressed_by
from gateway.model.envelope import Envelope
from gateway.model.errors import HeadwaterError
from gateway.model.person import Identifier, Known, Tenure
from gateway.queue import Queue
from gateway.transforms import Chains
from gateway.warehouses.archive import ArchiveSettings, Stretch, open_past, past
from gateway.warehouses.duckdb import DuckDBSettings
from tests.integration.deliver.support.gateway import Gateway
from tests.integration.warehouses.archive.test_delivery import running
from tests.integration.warehouses.support.objects import Objects, folder
from tests.integration.warehouses.support.past import HOUR_MS, keep, keep_days, tracks
from tests.integration.warehouses.support.store import RECEIVED_AT_MS

ALL = Stretch(0, 2**42)


@pytest.fixture
def kept(tmp_path: Path) -> Objects:
    """An archive on disk."""
    return folder(tmp_path / "archive")


@pytest.fixture
def warehouse(tmp_path: Path) -> Callable[..., DuckDBSettings]:
    def settings(**more: Any) -> DuckDBSettings:
        retry = {"first_delay": 0.01, "max_delay": 0.02}
        return DuckDBSettings.model_validate({"path": tmp_path / "warehouse.duckdb", "retry": retry, **more})

    return settings


async def begun(gateway: Gateway, archive: ArchiveSettings, stretch: Stretch = ALL) -> Running:
    opened = await asyncio.to_thread(open_past, archive, stretch)
    return gateway.delivery.backfill("warehouse", "archive", opened)


async def backfilled(gateway: Gateway, archive: ArchiveSettings, stretch: Stretch = ALL) -> BackfillStatus:
    """How it ended."""
    backfill, task = await begun(gateway, archive, stretch)
    await asyncio.wait([task])
    return backfill.status()


async def eventually_loaded(backfill: Backfill, rows: int) -> None:
    while backfill.status().rows < rows:
        await asyncio.sleep(0)


async def stored(gateway: Gateway) -> list[str]:
    """Ids in the warehouse, each as often as it is there."""
    opened = await gateway.delivery.opened_warehouse("warehouse", 5)
    return sorted(row[0] for row in (await opened.query("select id from tracks", 100_000, 10)).rows)


def ids(*numbers: int) -> list[str]:
    return sorted(f"m{n}" for n in numbers)


async def test_all_that_was_kept_is_loaded_once(queue: Queue, objects: Objects, warehouse: Any):
    await keep_days(objects.settings(), 4, 30)
    await keep_days(objects.settings(), 2, 10, "server", 1000)

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 25})}) as gateway:
        first = await backfilled(gateway, objects.settings())
        again = await backfilled(gateway, objects.settings())

        assert (first.state, first.objects, first.events, first.rows, first.duplicates) == ("done", 6, 140, 140, 0)
        assert (first.days_done, first.days, first.kept_back, first.refused) == (4, 4, {}, 0)
        assert (again.state, again.rows, again.duplicates) == ("done", 0, 140)
        assert await stored(gateway) == ids(*range(120), *range(1000, 1020))


@pytest.mark.parametrize("how", [{"partition": "day"}, {"compression": "zstd"}])
async def test_whatever_the_objects_look_like(queue: Queue, kept: Objects, warehouse: Any, how: dict[str, str]):
    await keep_days(kept.settings(**how), 2, 30)

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 7})}) as gateway:
        assert (await backfilled(gateway, kept.settings())).rows == 60
        assert await stored(gateway) == ids(*range(60))


async def test_an_event_keeps_all_that_was_known_of_it(queue: Queue, kept: Objects, warehouse: Any):
    event = {
        "type": "track",
        "event": "Paid",
        "messageId": "m1",
        "anonymousId": "d1",
        "timestamp": "2025-11-25T04:00:00Z",
    }
    envelope = Envelope("web", RECEIVED_AT_MS, "2025-11-25T05:01:00Z", "203.0.113.9", "Mozilla/5.0")
    await keep(kept.settings(), [event], envelope, 0)

    async with running(queue, {"warehouse": warehouse()}) as gateway:
        await backfilled(gateway, kept.settings())
        opened = await gateway.delivery.opened_warehouse("warehouse", 5)
        sql = "select anonymous_id, received_at::varchar, original_timestamp::varchar, context_ip from tracks"
        ((device, received_at, original, address),) = (await opened.query(sql, 2, 10)).rows

    assert (device, address) == ("d1", "203.0.113.9")
    assert (received_at[:19], original[:19]) == ("2025-11-25 05:00:00", "2025-11-25 04:00:00")


async def test_a_stretch_of_time_and_a_source_can_be_chosen(queue: Queue, kept: Objects, warehouse: Any):
    for hour in range(6):
        await keep(kept.settings(), tracks(hour * 10, 10), Envelope("web", RECEIVED_AT_MS + hour * HOUR_MS), hour * 10)
    await keep(kept.settings(), tracks(100, 1), Envelope("web", RECEIVED_AT_MS + 2 * HOUR_MS + 1), 100)
    await keep_days(kept.settings(), 1, 10, "server", 1000)
    stretch = Stretch(RECEIVED_AT_MS + HOUR_MS, RECEIVED_AT_MS + 2 * HOUR_MS + 1, "web")

    async with running(queue, {"warehouse": warehouse()}) as gateway:
        status = await backfilled(gateway, kept.settings(), stretch)

        assert (status.objects, status.events) == (3, 20)
        assert await stored(gateway) == ids(*range(10, 30))


async def test_what_the_warehouse_is_not_to_have_is_kept_back_and_counted(queue: Queue, kept: Objects, warehouse: Any):
    await keep(kept.settings(), tracks(0, 10), Envelope("web", RECEIVED_AT_MS), 0)
    await keep(kept.settings(), tracks(10, 5, event="Secret"), Envelope("web", RECEIVED_AT_MS), 10)
    await keep(kept.settings(), tracks(15, 3), Envelope("server", RECEIVED_AT_MS), 15)
    rules = [{"name": "no_secrets", "drop_if": {"events": ["Secret"]}}]

    async with running(queue, {"warehouse": warehouse(rules=rules, sources=["web"])}) as gateway:
        status = await backfilled(gateway, kept.settings())

        assert (status.events, status.rows, status.kept_back) == (18, 10, {"no_secrets": 5, "sources": 3})
        assert await stored(gateway) == ids(*range(10))


async def test_transforms_go_over_the_past_too_and_what_they_fail_on_is_told(
    queue: Queue, kept: Objects, warehouse: Any, tmp_path: Path
):
    await keep_days(kept.settings(), 1, 10)
    code = tmp_path / "transform.py"
    code.write_text(
        "async def transform(event):\n"
        "    if event['messageId'] == 'm3':\n"
        "        raise ValueError('no threes')\n"
        "    event['event'] = 'Bought'\n"
        "    return event\n"
    )
    treatment = Treatment(Chains({"web": (read_transform(str(code)),)}, 5), EnrichSettings(bots=True))

    async with running(queue, {}) as gateway:
        await gateway.delivery.apply({"warehouse": warehouse()}, treatment)
        backfill, task = await begun(gateway, kept.settings())
        await asyncio.wait([task])

        assert (backfill.status().rows, backfill.status().refused) == (9, 1)
        (refusal,) = backfill.shortfall().refusals
        assert (refusal.message_id, refusal.reason) == ("m3", "transform_failed")
        assert "no threes" in refusal.error
        assert await gateway.letters("warehouse") == []
        opened = await gateway.delivery.opened_warehouse("warehouse", 5)
        assert (await opened.query("select distinct event_text from tracks", 5, 10)).rows == [("Bought",)]


async def test_verdicts_of_a_tracking_plan_are_of_these_events_and_not_of_the_queue_s(
    queue: Queue, kept: Objects, warehouse: Any, tmp_path: Path
):
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"events": {"Paid": {"type": "object"}}}))
    settings = TrackingPlanSettings.model_validate({"path": plan, "unplanned": "quarantine"})
    await keep_days(kept.settings(), 1, 5)

    async with running(queue, {}) as gateway:
        await gateway.delivery.apply({"warehouse": warehouse()}, Treatment(plans={"web": settings}))
        await gateway.send(5)  # unplanned ones, with the same offsets
        while gateway.status("warehouse").lag_events:
            await asyncio.sleep(0.01)
        status = await backfilled(gateway, kept.settings())

    assert (status.rows, status.refused) == (5, 0)


async def test_an_object_that_cannot_be_read_is_told_and_all_others_are_loaded(
    queue: Queue, kept: Objects, warehouse: Any, tmp_path: Path
):
    await keep_days(kept.settings(), 4, 10)
    _, second, third, _ = kept.paths()
    (tmp_path / "archive" / second).write_bytes(b"no gzip")
    whole = (tmp_path / "archive" / third).read_bytes()
    (tmp_path / "archive" / third).write_bytes(whole[:-20])

    async with running(queue, {"warehouse": warehouse()}) as gateway:
        backfill, task = await begun(gateway, kept.settings())
        await asyncio.wait([task])

        assert (backfill.status().state, backfill.status().unreadable) == ("done", 2)
        assert list(backfill.shortfall().unreadable_objects) == [second, third]
        assert set(ids(*range(10), *range(30, 40))) <= set(await stored(gateway))


async def test_the_warehouse_s_own_loads_go_on_meanwhile(queue: Queue, kept: Objects, warehouse: Any):
    await keep_days(kept.settings(), 20, 10, first=1000)
    batch = {"max_events": 10, "max_wait": 0.01}

    async with running(queue, {"warehouse": warehouse(batch=batch)}) as gateway:
        backfill, task = await begun(gateway, kept.settings())
        await gateway.send(100)
        while gateway.status("warehouse").lag_events:
            assert backfill.status().rows < 200, "all of the past came first"
            await asyncio.sleep(0.005)
        await asyncio.wait([task])

        assert await stored(gateway) == ids(*range(100), *range(1000, 1200))


async def test_whoever_gave_the_order_can_have_it_stopped_and_give_it_again(
    queue: Queue, kept: Objects, warehouse: Any
):
    await keep_days(kept.settings(), 20, 10)

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 10})}) as gateway:
        begun_first = await begun(gateway, kept.settings())
        with pytest.raises(HeadwaterError, match="warehouse is being backfilled already"):
            await begun(gateway, kept.settings())
        await eventually_loaded(begun_first.backfill, 30)
        begun_first.stop()
        await asyncio.wait([begun_first.task])
        assert begun_first.backfill.status().state == "stopped"
        assert 30 <= len(await stored(gateway)) < 200

        status = await backfilled(gateway, kept.settings())

        assert (status.state, status.rows + status.duplicates) == ("done", 200)
        assert await stored(gateway) == ids(*range(200))


async def test_a_change_of_the_settings_is_in_force_from_the_next_load_on(queue: Queue, kept: Objects, warehouse: Any):
    await keep_days(kept.settings(), 20, 10)
    rules = [{"name": "not_u1", "drop_if": {"where": [{"field": "userId", "equals": "u1"}]}}]

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 10})}) as gateway:
        backfill, task = await begun(gateway, kept.settings())
        await eventually_loaded(backfill, 30)
        await gateway.delivery.apply({"warehouse": warehouse(batch={"max_events": 10}, rules=rules)})
        await asyncio.wait([task])

        status = backfill.status()
        assert (status.state, status.events, status.duplicates) == ("done", 200, 0)
        assert status.rows + status.kept_back["not_u1"] == 200
        assert status.kept_back["not_u1"] > 10


async def test_a_warehouse_that_is_taken_away_ends_it_in_words(queue: Queue, kept: Objects, warehouse: Any):
    await keep_days(kept.settings(), 20, 10)

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 10})}) as gateway:
        backfill, task = await begun(gateway, kept.settings())
        await gateway.delivery.apply({})
        await asyncio.wait([task])

    assert backfill.status().state == "failed"
    assert '"warehouse" is not a warehouse that runs' in backfill.status().error


async def test_an_archive_that_goes_away_ends_it_in_words(
    queue: Queue, kept: Objects, warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(past, "PAUSE_S", 0.01)
    await keep_days(kept.settings(), 20, 10)
    (tmp_path / "archive").rename(tmp_path / "elsewhere")
    (tmp_path / "archive").symlink_to("elsewhere")
    (tmp_path / "file").write_text("in the way")

    async with running(queue, {"warehouse": warehouse(batch={"max_events": 10})}) as gateway:
        backfill, task = await begun(gateway, kept.settings())
        await eventually_loaded(backfill, 30)
        (tmp_path / "file").replace(tmp_path / "archive")  # at one stroke: an archive that is empty has an end
        await asyncio.wait([task])

    status = backfill.status()
    assert status.state == "failed"
    assert f"{tmp_path}/archive" in status.error
    assert 2 <= status.days_done < 20


async def test_an_archive_is_not_filled_from_an_archive(queue: Queue, kept: Objects, tmp_path: Path):
    await keep_days(kept.settings(), 1, 10)

    async with running(queue, {"warehouse": folder(tmp_path / "other").settings()}) as gateway:
        with pytest.raises(HeadwaterError, match='"warehouse" is an archive'):
            await begun(gateway, kept.settings())


async def test_whoever_is_on_the_list_of_the_forgotten_stays_forgotten(queue: Queue, kept: Objects, warehouse: Any):
    """As where the archive was switched off when the order to forget came, and still has all of theirs."""
    hers = [{"type": "track", "event": "E", "messageId": "a1", "userId": "ada"}]
    hers += [{"type": "track", "event": "E", "messageId": "a2", "anonymousId": "d1"}]
    await keep(kept.settings(), [*hers, *tracks(0, 5)], Envelope("web", RECEIVED_AT_MS), 0)
    device = Tenure("d1", Identifier("user_id", "ada"))
    ada = Known("p1", frozenset(["ada"]), [device], [])
    digests = {queue.suppression.digest(each) for each in suppressed_by(ada)}
    queue.suppression.digests |= digests

    async with running(queue, {"warehouse": warehouse()}) as gateway:
        status = await backfilled(gateway, kept.settings())

        assert status.kept_back == {"forgotten": 2}
        assert await stored(gateway) == ids(*range(5))
