"""What the owner's rules and code let through: the same for tools and for warehouses, and every event is counted."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.config import EnrichSettings
from gateway.config.code import CodeFile, read_transform
from gateway.deliver.delivery import Treatment
from gateway.model.clock import SystemClock
from gateway.queue import Queue
from gateway.transforms import Chains, TransformsError
from tests.integration.deliver.support.gateway import Eventually, Gateway, MakeWebhook, Run, put
from tests.integration.deliver.support.peer import Peer, choke_on, say
from tests.integration.deliver.support.sqlite_warehouse import Store, failing, nothing

Write = Callable[[str], CodeFile]

NO_PINGS = [{"name": "no_pings", "drop_if": {"events": ["Ping"]}}]
SPLITTING = """
async def transform(event):
    n = event["properties"]["n"]
    if n == 1:
        return None
    if n == 2:
        raise RuntimeError("two")
    if n == 3:
        return [event, event]
    return event
"""
"""Of events with n = 0..3: one goes on, one is kept back, one is a dead letter, one becomes two."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(code: str) -> CodeFile:
        path = tmp_path / f"t{len(list(tmp_path.glob('*.py')))}.py"
        path.write_text(code)
        return read_transform(path)

    return written


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "warehouse.db")


def tracks(*properties: dict[str, Any], **fields: Any) -> list[bytes]:
    return [
        json.dumps(
            {"messageId": f"m{n}", "type": "track", "event": "E", "userId": f"u{n}", "properties": each, **fields}
        ).encode()
        for n, each in enumerate(properties)
    ]


def numbered(count: int) -> list[bytes]:
    return tracks(*({"n": n} for n in range(count)))


async def settled(gateway: Gateway, name: str, eventually: Eventually, events: int) -> dict[str, int]:
    await eventually(lambda: gateway.status(name).next_offset == events)
    return await gateway.ledger(name)


async def settled_letters(gateway: Gateway) -> bool:
    return await gateway.letters("hook") == []


async def test_what_a_rule_keeps_back_is_counted_under_its_name(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    async with run({"hook": webhook(peer, rules=NO_PINGS)}) as gateway:
        await put(queue, "web", [*tracks({}, {}), *tracks({}, {}, {}, event="Ping")])

        assert await settled(gateway, "hook", eventually, 5) == {"delivered": 2, "filtered": 3}
        assert gateway.sample("destination_filtered_total", destination="hook", rule="no_pings") == 3


async def test_a_sender_may_keep_events_from_a_tool_and_not_from_the_warehouse(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, store: Store, eventually: Eventually
):
    async with run({"hook": webhook(peer), "dw": store.settings()}, [store.kind]) as gateway:
        await put(queue, "web", tracks({}, {}, integrations={"All": False}))

        assert await settled(gateway, "hook", eventually, 2) == {"filtered": 2}
        assert await settled(gateway, "dw", eventually, 2) == {"delivered": 2}
        assert gateway.sample("destination_filtered_total", destination="hook", rule="integrations") == 2


async def test_events_of_those_who_refused_do_not_reach_a_tool_that_asks_for_consent(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    refused = {"consent": {"categoryPreferences": {"analytics": True, "marketing": False}}}
    async with run({"hook": webhook(peer, consent=("marketing",))}) as gateway:
        await put(queue, "web", [*tracks({}, context=refused), *tracks({}, {})])

        assert await settled(gateway, "hook", eventually, 3) == {"delivered": 2, "filtered": 1}
        assert gateway.sample("destination_filtered_total", destination="hook", rule="consent") == 1


async def test_denied_fields_reach_neither_a_tool_nor_a_warehouse(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    seen: list[dict[str, Any]] = []

    async def take(events: Sequence[Any]) -> Any:
        seen.extend(events)
        return await say(200)(events)

    peer.answer = take
    async with run({"hook": webhook(peer, fields={"deny": ["properties.secret"]})}) as gateway:
        await put(queue, "web", tracks({"secret": "x", "open": 1}))

        assert await settled(gateway, "hook", eventually, 1) == {"delivered": 1}
        assert seen[0]["properties"] == {"open": 1}


async def test_every_event_of_a_transform_has_one_outcome(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    async with run({"hook": webhook(peer, transforms=(write(SPLITTING),))}) as gateway:
        await put(queue, "web", numbered(4))

        assert await settled(gateway, "hook", eventually, 4) == {"delivered": 2, "filtered": 1, "dead": 1}
        assert sorted(peer.taken) == ["m0", "m3", "m3-2"]
        assert await gateway.letters("hook") == [("m2", "dead", "transform_failed")]
        assert gateway.sample("destination_filtered_total", destination="hook", rule="transform t0.py") == 1


async def test_a_warehouse_stores_what_transforms_make_and_counts_alike(
    run: Run, queue: Queue, store: Store, write: Write, eventually: Eventually
):
    async with run({"dw": store.settings(transforms=(write(SPLITTING),))}, [store.kind]) as gateway:
        await put(queue, "web", numbered(4))

        assert await settled(gateway, "dw", eventually, 4) == {"delivered": 2, "filtered": 1, "dead": 1}
        assert store.rows() == ["m0", "m3", "m3-2"]
        assert await gateway.letters("dw") == [("m2", "dead", "transform_failed")]


async def test_a_warehouse_that_committed_and_was_not_recorded_is_counted_with_its_rules(
    run: Run, queue: Queue, store: Store, write: Write, eventually: Eventually
):
    settings = store.settings(transforms=(write(SPLITTING),), rules=[{"name": "r", "drop_if": {"events": ["Ping"]}}])
    async with run({"dw": settings}, [store.kind], drain_s=0) as gateway:
        store.faults.after_commit = failing(RuntimeError("the daemon is killed here"))
        await put(queue, "web", [*numbered(4), *tracks({"n": 0}, event="Ping")])
        await eventually(lambda: len(store.rows()) == 3)
    store.faults.after_commit = nothing

    async with run({"dw": settings}, [store.kind]) as gateway:
        assert await settled(gateway, "dw", eventually, 5) == {"delivered": 2, "filtered": 2, "dead": 1}
        assert store.rows() == ["m0", "m3", "m3-2"]


async def test_a_row_that_the_warehouse_cannot_take_is_the_only_letter_beside_those_of_the_transform(
    run: Run, queue: Queue, store: Store, write: Write, eventually: Eventually
):
    code = write("async def transform(event):\n    return dict(event, poison=event['properties']['n'] == 5)\n")
    async with run({"dw": store.settings(transforms=(code,))}, [store.kind]) as gateway:
        await put(queue, "web", numbered(12))

        assert await settled(gateway, "dw", eventually, 12) == {"delivered": 11, "dead": 1}
        assert await gateway.letters("dw") == [("m5", "dead", "rejected")]


async def test_one_refused_part_makes_a_letter_of_its_event_once_all_parts_are_through(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    peer.answer = choke_on("m3-2", 400)
    async with run({"hook": webhook(peer, transforms=(write(SPLITTING),))}) as gateway:
        await put(queue, "web", [numbered(4)[0], numbered(4)[3]])

        assert await settled(gateway, "hook", eventually, 2) == {"delivered": 1, "dead": 1}
        assert sorted(peer.taken) == ["m0", "m3"]
        assert await gateway.letters("hook") == [("m3", "dead", "rejected")]


async def test_a_letter_goes_through_the_mended_transform_when_it_is_tried_again(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    async with run({"hook": webhook(peer, transforms=(write(SPLITTING),))}) as gateway:
        await put(queue, "web", [numbered(4)[2]])
        assert await settled(gateway, "hook", eventually, 1) == {"dead": 1}
        mended = write("async def transform(event):\n    return [event, event]\n")
        await gateway.delivery.apply({"hook": webhook(peer, transforms=(mended,))})

        await queue.retry_letters("hook", None, SystemClock().now_ms())
        await eventually(lambda: len(peer.taken) == 2)

        assert peer.taken == ["m2", "m2-2"]
        await eventually(lambda: settled_letters(gateway))


async def test_transforms_of_a_source_come_first_and_only_for_its_events(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    names: list[str] = []

    async def take(events: Sequence[Any]) -> Any:
        names.extend(event["event"] for event in events)
        return await say(200)(events)

    peer.answer = take
    of_source = write("async def transform(event):\n    return dict(event, event=event['event'] + '+source')\n")
    own = write("async def transform(event):\n    return dict(event, event=event['event'] + '+own')\n")
    treatment = Treatment(Chains({"web": (of_source,)}, 5))
    async with run({}) as gateway:
        await gateway.delivery.apply({"hook": webhook(peer, transforms=(own,))}, treatment)
        await put(queue, "web", numbered(1))
        await put(queue, "server", numbered(1))
        await eventually(lambda: len(names) == 2)

        assert sorted(names) == ["E+own", "E+source+own"]


async def test_a_hanging_transform_delays_its_own_destination_alone(
    run: Run, peer: Peer, neighbour: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    hanging = write("async def transform(event):\n    while True: pass\n")
    treatment = Treatment(Chains({}, 0.2))
    async with run({}) as gateway:
        settings = {"stuck": webhook(peer, transforms=(hanging,)), "well": webhook(neighbour)}
        await gateway.delivery.apply(settings, treatment)
        await gateway.send(3)

        await eventually(lambda: len(neighbour.taken) == 3)
        assert await settled(gateway, "stuck", eventually, 3) == {"dead": 3}
        letters = await gateway.queue.letters("stuck", None, 0, 10)
        assert "cut off" in letters[0].error


async def test_enrichment_is_seen_by_rules_tools_and_warehouses_and_changes_with_a_reload(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, eventually: Eventually
):
    bots = [{"name": "bots", "drop_if": {"bots": True}}]
    crawler = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    async with run({}) as gateway:
        await gateway.delivery.apply({"hook": webhook(peer, rules=bots)}, Treatment(enrich=EnrichSettings(bots=True)))
        await put(queue, "web", [*tracks({}, context=crawler), *tracks({})])
        assert await settled(gateway, "hook", eventually, 2) == {"delivered": 1, "filtered": 1}

        await gateway.delivery.apply({"hook": webhook(peer, rules=bots)})
        await put(queue, "web", tracks({}, context=crawler))
        assert await settled(gateway, "hook", eventually, 3) == {"delivered": 2, "filtered": 1}


async def test_a_transform_that_loads_no_more_is_shown_where_events_wait_for_it_until_it_is_mended(
    run: Run, queue: Queue, peer: Peer, webhook: MakeWebhook, write: Write, eventually: Eventually
):
    code = write(SPLITTING)
    async with run({"hook": webhook(peer, transforms=(code,))}) as gateway:
        code.path.write_text("import no_such_module\n")
        await put(queue, "web", tracks({"n": 0}))
        await eventually(lambda: gateway.status("hook").state == "blocked")

        error = gateway.status("hook").last_error
        assert (
            error == f"transforms cannot be loaded: {code.path}: ModuleNotFoundError: No module named 'no_such_module'"
        )
        await eventually(lambda: gateway.sample("destination_transforms_unavailable", destination="hook") == 1)
        with pytest.raises(TransformsError, match="no_such_module"):
            await gateway.delivery.preview("hook", 0)

        code.path.write_text(SPLITTING)
        assert await settled(gateway, "hook", eventually, 1) == {"delivered": 1}
        assert (gateway.status("hook").state, gateway.status("hook").last_error) == ("running", "")
