"""An archive among the destinations of a gateway."""

import asyncio
import gzip
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.config import DestinationSettings, EnrichSettings
from gateway.config.code import read_transform
from gateway.deliver.delivery import Delivery, Treatment
from gateway.deliver.probe import probe_warehouse
from gateway.model.clock import SystemClock
from gateway.model.errors import HeadwaterError, WarehouseError
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.transforms import Chains
from gateway.warehouses.archive import ARCHIVE
from gateway.warehouses.archive.lines import decode
from gateway.warehouses.duckdb import DuckDBSettings
from gateway.warehouses.registry import WAREHOUSES
from tests.integration.deliver.support.gateway import Gateway, put
from tests.integration.warehouses.support.objects import Objects, folder

FAST = {"retry": {"first_delay": 0.01, "max_delay": 0.02}, "batch": {"max_events": 20, "max_wait": 0.05}}


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return folder(tmp_path / "archive")


@asynccontextmanager
async def running(queue: Queue, destinations: Mapping[str, DestinationSettings]) -> AsyncIterator[Gateway]:
    metrics = Metrics("test")
    async with asyncio.TaskGroup() as tasks:
        delivery = Delivery(queue, SystemClock(), random.Random(1), metrics, (), WAREHOUSES, tasks)
        await delivery.apply(destinations)
        yield Gateway(queue, delivery, metrics, sent=queue.head_offset)
        await delivery.stop(5)


async def loaded(gateway: Gateway, name: str = "archive") -> dict[str, int]:
    """The ledger, once every event has an outcome."""
    async with asyncio.timeout(20):
        while gateway.status(name).lag_events:
            await asyncio.sleep(0.01)
    return await gateway.ledger(name)


async def test_all_events_are_in_the_archive_once_over_restarts(queue: Queue, objects: Objects):
    ids = []
    for _ in range(3):
        async with running(queue, {"archive": objects.settings(**FAST)}) as gateway:
            ids += await gateway.send(35)
            while gateway.status("archive").lag_events > 20:
                await asyncio.sleep(0)
    async with running(queue, {"archive": objects.settings(**FAST)}) as gateway:
        assert await loaded(gateway) == {"delivered": 105}

    assert [line["event"]["messageId"] for line in objects.lines()] == ids
    assert objects.offsets() == list(range(queue.head_offset - 105, queue.head_offset))


async def test_offsets_are_those_of_the_log_when_a_source_is_left_out(queue: Queue, objects: Objects):
    for n in range(10):
        await put(queue, "web" if n % 3 else "server", [b'{"messageId":"m%d","type":"track"}' % n])

    async with running(queue, {"archive": objects.settings(sources=["web"], **FAST)}) as gateway:
        assert await loaded(gateway) == {"delivered": 6, "filtered": 4}

    assert [(line["offset"], line["event"]["messageId"]) for line in objects.lines()] == [
        (n, f"m{n}") for n in (1, 2, 4, 5, 7, 8)
    ]


async def test_events_are_kept_as_they_were_accepted_whatever_others_are_shown(
    queue: Queue, objects: Objects, tmp_path: Path
):
    code = tmp_path / "transform.py"
    code.write_text("async def transform(event):\n    return None\n")
    treatment = Treatment(Chains({"web": (read_transform(str(code)),)}, 5), EnrichSettings(campaign=True, bots=True))
    raw = b'{"messageId":"m1","type":"page","context":{"page":{"url":"https://shop.example/?utm_source=news"}},"n":1e2}'

    async with running(queue, {}) as gateway:
        await gateway.delivery.apply({"archive": objects.settings(**FAST)}, treatment)
        await put(queue, "web", [raw])
        assert await loaded(gateway) == {"delivered": 1}

    (path,) = objects.paths()
    (line,) = gzip.decompress((tmp_path / "archive" / path).read_bytes()).splitlines()
    assert decode(line).raw == raw


async def test_a_replay_brings_what_a_source_had_before_it_was_taken_and_nothing_twice(queue: Queue, objects: Objects):
    for n in range(10):
        await put(queue, "web" if n % 2 else "server", [b'{"messageId":"m%d","type":"track"}' % n])
    async with running(queue, {"archive": objects.settings(sources=["web"], **FAST)}) as gateway:
        await loaded(gateway)

    async with running(queue, {"archive": objects.settings(**FAST)}) as gateway:
        await gateway.delivery.replay("archive", 0, SystemClock().now_ms() + 1000)
        while len(objects.offsets()) < 10:
            await asyncio.sleep(0.01)
        await gateway.delivery.replay("archive", 0, SystemClock().now_ms() + 1000)
        while len(gateway.delivery.status()) > 1:
            await asyncio.sleep(0.05)

    assert objects.offsets() == list(range(10))


async def test_an_archive_that_is_out_of_reach_catches_up(queue: Queue, objects: Objects, tmp_path: Path):
    (tmp_path / "archive").write_text("in the way")

    async with running(queue, {"archive": objects.settings(**FAST)}) as gateway:
        await gateway.send(30)
        while "archive" not in gateway.status("archive").last_error:
            await asyncio.sleep(0.01)
        (tmp_path / "archive").unlink()
        assert await loaded(gateway) == {"delivered": 30}

    assert len(objects.offsets()) == 30


async def test_whoever_names_no_warehouse_means_the_one_that_can_answer(queue: Queue, objects: Objects, tmp_path: Path):
    both = {"archive": objects.settings(**FAST), "warehouse": DuckDBSettings(path=tmp_path / "warehouse.duckdb")}

    async with running(queue, both) as gateway:
        await gateway.send(30)
        assert await loaded(gateway) == {"delivered": 30}
        assert await loaded(gateway, "warehouse") == {"delivered": 30}
        delivery = gateway.delivery
        table = await (await delivery.opened_warehouse(None, 5)).query("select count(*) from tracks", 1, 10)
        assert table.rows == [(30,)]
        assert delivery.warehouse(None) is delivery.warehouse("warehouse")
        assert delivery.warehouses() == ["archive", "warehouse"]
        assert delivery.warehouses(answering=True) == ["warehouse"]
        with pytest.raises(WarehouseError, match="an archive keeps events and answers no questions"):
            await delivery.warehouse("archive").query("select 1", 1, 1)


async def test_with_an_archive_alone_there_is_nobody_to_ask(queue: Queue, objects: Objects):
    async with running(queue, {"archive": objects.settings(**FAST)}) as gateway:
        with pytest.raises(HeadwaterError, match="there are 0 warehouses to ask"):
            gateway.delivery.warehouse(None)


async def test_its_place_can_be_tried(objects: Objects, tmp_path: Path):
    file = tmp_path / "file"
    file.touch()

    assert await probe_warehouse(ARCHIVE, objects.settings(), SystemClock()) is None
    trouble = await probe_warehouse(ARCHIVE, objects.settings(url=str(file / "archive")), SystemClock())
    assert trouble == f"{file}/archive cannot be made: {file} is no directory (choose another path)"
