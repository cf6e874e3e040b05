"""What the vendors' own Python clients send is forwarded as they would have sent it themselves."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from gateway.queue import Queue
from tests.integration.deliver.support.gateway import Run
from tests.integration.destinations.conftest import Serve, settled, store
from tests.vendors.events import event
from tests.vendors.rudderstack import Rudderstack
from tests.vendors.segment import Segment
from tests.vendors.simulator import Received, Simulator

ADDED = {"receivedAt", "originalTimestamp"}
CHANGED = {"timestamp", "context"}

every_forwarder = pytest.mark.parametrize(
    ("vendor", "package"), [(Segment, "segment.analytics.client"), (Rudderstack, "rudderstack.analytics.client")]
)


def tell(package: str, host: str) -> None:
    """The story of a person, by a client that sends each call at once. Blocks."""
    client = import_module(package).Client("s3cret-key", host=host, sync_mode=True, gzip=False)
    happened = datetime(2026, 11, 25, 11, 59, tzinfo=UTC)
    client.identify("u-1", {"email": "ada@example.com", "plan": "pro"}, anonymous_id="a-1")
    client.track(
        "u-1", "Order Completed", {"order_id": "o-1", "products": [{"sku": "s", "price": 5.5}]}, timestamp=happened
    )
    client.page("u-1", "Shop", "Home", {"url": "https://shop.example/"}, context={"ip": "198.51.100.7"})
    client.screen(anonymous_id="a-1", name="Start", integrations={"All": True, "Mixpanel": False})
    client.group("u-1", "g-1", {"name": "Acme"})
    client.alias("a-1", "u-1")


def events_in(requests: Sequence[Received]) -> list[dict[str, Any]]:
    return [each for request in requests for each in request.body["batch"]]


def assert_is_the_same(forwarded: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """But for what a gateway knows of an event that it has had, and times in milliseconds."""
    assert forwarded.keys() - said.keys() <= ADDED
    assert {key: forwarded[key] for key in said.keys() - CHANGED} == {key: said[key] for key in said.keys() - CHANGED}
    assert said["context"].items() <= forwarded["context"].items()
    apart = datetime.fromisoformat(said["timestamp"]) - datetime.fromisoformat(forwarded["timestamp"])
    assert timedelta() <= apart < timedelta(milliseconds=1)


@every_forwarder
async def test_the_vendors_client_and_the_gateway_send_the_same(
    vendor: type[Simulator], package: str, queue: Queue, run: Run, serve: Serve
):
    simulator = vendor()
    address = f"{await serve(simulator)}/{vendor.kind.type}"
    await asyncio.to_thread(tell, package, address)
    by_client = [*simulator.received]
    simulator.received.clear()
    said = {each["messageId"]: each for each in events_in(by_client)}
    await store(queue, [*said.values()])

    async with run({"tool": vendor.settings(address)}) as gateway:
        ledger = await settled(gateway, "tool")

    assert ledger == {"delivered": 6}
    for forwarded in events_in(simulator.received):
        assert_is_the_same(forwarded, said[forwarded["messageId"]])
    for request in simulator.received:
        assert (request.method, request.path) == (by_client[0].method, by_client[0].path)
        for header in ("authorization", "content-type"):
            assert request.headers[header] == by_client[0].headers[header]
        assert request.body.keys() == by_client[0].body.keys() - {"writeKey"}


@every_forwarder
async def test_a_forwarded_event_that_comes_back_does_not_go_round(
    vendor: type[Simulator], package: str, queue: Queue, run: Run, serve: Serve
):
    simulator = vendor()
    address = f"{await serve(simulator)}/{vendor.kind.type}"
    await store(queue, [event(1, event="Signed Up")])

    async with run({"tool": vendor.settings(address)}) as gateway:
        await settled(gateway, "tool")
        (came_back,) = events_in(simulator.received)
        await store(queue, [{**came_back, "messageId": "another"}])
        ledger = await settled(gateway, "tool")

    assert ledger == {"delivered": 1, "filtered": 1}
