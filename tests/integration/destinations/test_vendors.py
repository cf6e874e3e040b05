"""Every destination and its simulated vendor, over HTTP: what arrives, what is refused, and what is told twice."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.model.event import to_iso
from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import Serve, settled, store
from tests.vendors.events import order, tour
from tests.vendors.registry import SIMULATORS
from tests.vendors.simulator import POISON, Simulator, hanging, resetting, saying

every_vendor = pytest.mark.parametrize("vendor", SIMULATORS, ids=lambda vendor: vendor.kind.type)


def now_ish() -> str:
    """Vendors refuse what is old."""
    return to_iso(datetime.now(UTC) - timedelta(seconds=5))


def orders(count: int) -> list[dict[str, Any]]:
    return [order(n, timestamp=now_ish()) for n in range(count)]


async def started(vendor: type[Simulator], serve: Serve) -> tuple[Simulator, str]:
    simulator = vendor()
    address = await serve(simulator)
    return simulator, f"{address}/{vendor.kind.type}"


@every_vendor
async def test_all_that_a_site_sends_is_delivered_or_has_no_counterpart(
    vendor: type[Simulator], queue: Queue, run: Run, serve: Serve
):
    simulator, address = await started(vendor, serve)
    events = [{**event, "timestamp": now_ish()} for event in tour()]
    await store(queue, events)

    async with run({"tool": vendor.settings(address)}) as gateway:
        ledger = await settled(gateway, "tool")

    assert ledger.get("dead", 0) == 0, simulator.received[-1:]
    assert ledger["delivered"] > 0
    assert ledger["delivered"] + ledger.get("filtered", 0) == len(events)
    assert simulator.taken
    assert max(Counter(simulator.taken).values()) == 1


@pytest.mark.parametrize("vendor", [each for each in SIMULATORS if each.refuses], ids=lambda vendor: vendor.kind.type)
async def test_one_event_that_the_vendor_refuses_is_the_only_dead_letter(
    vendor: type[Simulator], queue: Queue, run: Run, serve: Serve
):
    simulator, address = await started(vendor, serve)
    events = orders(20)
    poisoned = {**events[7]["properties"], "order_id": POISON, "coupon": POISON, "note": POISON}
    events[7] |= {"properties": poisoned, "userId": POISON}
    await store(queue, events)

    async with run({"tool": vendor.settings(address)}) as gateway:
        ledger = await settled(gateway, "tool")
        letters = await gateway.letters("tool")

    assert ledger == {"delivered": 19, "dead": 1}
    assert letters == [("msg-000007", "dead", "rejected")]
    assert max(Counter(simulator.taken).values()) == 1


@every_vendor
@pytest.mark.parametrize("trouble", [resetting, hanging, saying(500), saying(429, Retry_After="0"), saying(503)])
async def test_what_the_vendor_was_told_in_vain_is_told_again_under_the_same_key(
    vendor: type[Simulator], trouble: Any, queue: Queue, run: Run, serve: Serve
):
    simulator, address = await started(vendor, serve)
    simulator.trouble = trouble
    await store(queue, orders(6))

    async with run({"tool": vendor.settings(address, timeout=0.5)}) as gateway:
        while not simulator.received:
            await asyncio.sleep(0.01)
        told = [key for received in simulator.received for key in simulator.keys(received)]
        simulator.trouble = None
        ledger = await settled(gateway, "tool")

    assert ledger == {"delivered": 6}
    assert set(told) <= set(simulator.taken)
    assert max(Counter(simulator.taken).values()) == 1
