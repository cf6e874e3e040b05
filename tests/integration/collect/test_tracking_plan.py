"""A tracking plan at work: what is reported, what is kept out, and what waits until the plan is mended."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.config import DestinationSettings
from gateway.destinations.console import ConsoleSettings
from gateway.queue.records import Letter
from tests.integration.collect.support.daemon import Daemon, running
from tests.integration.deliver.support.sqlite_warehouse import Store

CARD, SECRET = "4111111111111111", "s3cret-value"
SCHEMA = {
    "properties": {"total": {"type": "number"}, "coupon": {"type": "string"}},
    "required": ["total"],
    "additionalProperties": False,
}
PLAN = {"events": {"Order Completed": SCHEMA}, "identify": {"properties": {"plan": {"enum": ["free", "pro"]}}}}
MENDED = {"events": {"Order Completed": SCHEMA | {"additionalProperties": True}, "New": True}}


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    return path


def sections(plan: Path, **settings: str) -> dict[str, Any]:
    planned = {"write_keys": ["k"], "tracking_plan": {"path": str(plan), **settings}}
    return {"sources": {"web": planned, "plain": {"write_keys": ["p"]}}}


def event(message_id: str, name: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": message_id, "userId": "u1", "properties": properties}


GOOD = event("good", total=1.5)
EXTRA = event("extra", total=1, card=CARD)
MISSING = event("missing", coupon=SECRET)
NEW = event("new", "New", anything=1)
TRAITS = {"type": "identify", "messageId": "traits", "userId": "u1", "traits": {"plan": SECRET}}
BATCH = [GOOD, EXTRA, MISSING, NEW, TRAITS]


async def post(daemon: Daemon, *events: dict[str, Any], key: str = "k") -> None:
    body = json.dumps({"batch": list(events), "writeKey": key}).encode()
    answer = await daemon.gateway.request("POST", "/v1/b", body)
    assert (answer.status, json.loads(answer.body)) == (200, {"success": True})


async def ids(daemon: Daemon) -> list[str]:
    return [json.loads(each.raw)["messageId"] for each in await daemon.stored()]


def violations(daemon: Daemon) -> dict[str, float]:
    kinds = ("unplanned", "missing", "unexpected", "type", "value")
    counted = {kind: daemon.gateway.count("plan_violations", source="web", kind=kind) for kind in kinds}
    return {kind: events for kind, events in counted.items() if events}


async def test_what_is_reported_is_stored_and_counted(tmp_path: Path, plan: Path):
    async with running(tmp_path / "queue", sections(plan, unplanned="report")) as daemon:
        await post(daemon, *BATCH)

        assert await ids(daemon) == ["good", "extra", "missing", "new", "traits"]
        assert violations(daemon) == {"unexpected": 1, "missing": 1, "unplanned": 1, "value": 1}
        assert await daemon.queue.rejected(10) == []


async def test_what_is_blocked_is_answered_and_nothing_of_it_is_written_but_why(tmp_path: Path, plan: Path):
    async with running(tmp_path / "queue", sections(plan, violations="block")) as daemon:
        await post(daemon, *BATCH)
        await post(daemon, *BATCH, key="p")
        assert CARD.encode() in await daemon.written(), "the search finds what is there"

    async with running(tmp_path / "other", sections(plan, violations="block")) as daemon:
        await post(daemon, *BATCH)
        await post(daemon, EXTRA)

        assert await ids(daemon) == ["good", "new"]
        assert daemon.gateway.count("events_withheld", source="web", reason="tracking_plan") == 4
        assert daemon.gateway.count("events_rejected", source="web", reason="tracking_plan") == 0
        kept = await daemon.queue.rejected(10)
        written = await daemon.written()

    assert CARD.encode() not in written
    assert SECRET.encode() not in written
    assert [(each.reason, each.detail) for each in kept] == [
        ("tracking_plan", "properties: Additional properties are not allowed ('card' was unexpected)"),
        ("tracking_plan", 'traits.plan: the value is not one of "free" or "pro"'),
        ("tracking_plan", 'properties: "total" is a required property'),
        ("tracking_plan", "properties: Additional properties are not allowed ('card' was unexpected)"),
    ]
    assert json.loads(kept[-1].body) == {"type": "track", "event": "Order Completed", "messageId": "extra"}


async def test_a_large_request_is_judged_too(tmp_path: Path, plan: Path):
    many = [event(f"m{number}", total=1, note="x" * 300) for number in range(1500)]
    async with running(tmp_path / "queue", sections(plan, violations="block")) as daemon:
        await post(daemon, *many, GOOD)

        assert await ids(daemon) == ["good"]
        assert daemon.gateway.count("events_withheld", source="web", reason="tracking_plan") == 1500


async def letters(daemon: Daemon) -> dict[str, list[Letter]]:
    found: dict[str, list[Letter]] = {}
    for letter in await daemon.queue.letters(None, None, 0, 100):
        found.setdefault(letter.destination, []).append(letter)
    return found


def destinations(store: Store, **more: Any) -> dict[str, DestinationSettings]:
    return {"out": ConsoleSettings(**more), "store": store.settings(**more)}


async def test_what_is_quarantined_waits_in_every_destination_until_the_plan_is_mended(tmp_path: Path, plan: Path):
    store = Store(tmp_path / "store.db")
    settings = {"violations": "quarantine", "unplanned": "quarantine"}
    async with running(tmp_path / "queue", sections(plan, **settings), destinations(store), [store.kind]) as daemon:
        await post(daemon, *BATCH)
        await daemon.until_settled("out", "store")

        assert await ids(daemon) == ["good", "extra", "missing", "new", "traits"]
        assert store.rows() == ["good"]
        for name, kept in (await letters(daemon)).items():
            assert [(each.message_id, each.reason) for each in kept] == [
                (each, "quarantined") for each in ("extra", "missing", "new", "traits")
            ]
            assert kept[1].error == 'properties: "total" is a required property'
            assert daemon.gateway.count("destination_dead", destination=name, reason="quarantined") == 4

        plan.write_text(json.dumps(MENDED))
        await daemon.reload(**sections(plan, **settings))
        for name in ("out", "store"):
            assert await daemon.queue.retry_letters(name, None, 0) == 4
        await daemon.until_settled("out", "store")

        assert store.rows() == ["extra", "good", "new", "traits"]
        for kept in (await letters(daemon)).values():
            assert [(each.message_id, each.state, each.reason) for each in kept] == [("missing", "dead", "quarantined")]


async def test_a_replay_brings_what_the_mended_plan_lets_go(tmp_path: Path, plan: Path):
    store = Store(tmp_path / "store.db")
    settings = {"violations": "quarantine"}
    async with running(
        tmp_path / "queue", sections(plan, **settings), {"store": store.settings()}, [store.kind]
    ) as daemon:
        await post(daemon, GOOD, EXTRA)
        await daemon.until_settled("store")
        assert store.rows() == ["good"]

        plan.write_text(json.dumps(MENDED))
        await daemon.reload(**sections(plan, **settings))
        await daemon.delivery.replay("store", 0, 2**42)
        await daemon.until_settled(*[each.destination for each in await daemon.queue.cursors()])

        assert store.rows() == ["extra", "good"]


async def test_rules_come_first_and_other_sources_have_no_plan(tmp_path: Path, plan: Path):
    """What a destination is not told of anyway is no dead letter of it."""
    store = Store(tmp_path / "store.db")
    rules = ({"name": "no_orders", "drop_if": {"events": ["Order *"]}},)
    async with running(
        tmp_path / "queue", sections(plan, violations="quarantine"), destinations(store, rules=rules), [store.kind]
    ) as daemon:
        await post(daemon, EXTRA, NEW)
        await post(daemon, TRAITS, key="p")
        await daemon.until_settled("out", "store")

        assert await letters(daemon) == {}
        assert store.rows() == ["new", "traits"]


async def test_privacy_rules_come_before_the_plan(tmp_path: Path, plan: Path):
    """The plan is of what is kept, and says nothing of what is not."""
    web = sections(plan, violations="block")["sources"]["web"] | {"privacy": {"remove": ["properties.card"]}}
    async with running(tmp_path / "queue", {"sources": {"web": web}}) as daemon:
        await post(daemon, EXTRA)

        assert await ids(daemon) == ["extra"]
        assert CARD.encode() not in await daemon.written()
