"""Events without a user are given the one whom the warehouse knows on their device at that time."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from gateway.deliver.decode import EventCache
from gateway.deliver.hold import Released
from gateway.deliver.stitch import FRESH_S, Stitch, Stitched
from gateway.model.envelope import Envelope, Stored
from gateway.model.errors import WarehouseError
from gateway.model.person import USER_ID, Identifier, Tenure

NOON_MS = 1764072000000


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.s = 100.0

    def monotonic_s(self) -> float:
        return self.s

    def now_ms(self) -> int:
        return NOON_MS


class Warehouse:
    """Knows some devices, and counts how often it is asked for each."""

    def __init__(self, *tenures: Tenure) -> None:
        self.tenures = tenures
        self.asked: list[str] = []
        self.trouble: Exception | None = None

    async def owners(self, anonymous_ids: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
        self.asked += sorted(anonymous_ids)
        if self.trouble:
            raise self.trouble
        return {each: [tenure for tenure in self.tenures if tenure.anonymous_id == each] for each in anonymous_ids}


def owned(device: str, user: str, from_ms: int | None = None, to_ms: int | None = None, kind: str = USER_ID) -> Tenure:
    from_us, to_us = (None if at is None else at * 1000 for at in (from_ms, to_ms))
    return Tenure(device, Identifier(kind, user), from_us, to_us)


def event(offset: int, at_ms: int = NOON_MS, **fields: Any) -> Released:
    raw = {"type": "page", "messageId": f"m{offset}", "timestamp": at_ms, **fields}
    return Released(Stored(offset, orjson.dumps(raw), Envelope("web", NOON_MS)))


def stitched(stitch: Stitch, *released: Released) -> Stitched:
    return asyncio.run(stitch.users_of(released, EventCache(2**20).canonical))


def stitch_of(warehouse: Warehouse, clock: Clock | None = None) -> Stitch:
    return Stitch(lambda: warehouse, clock or Clock())  # type: ignore[arg-type, return-value]  # what of them is used


def test_an_event_is_given_the_user_who_had_the_device_then():
    warehouse = Warehouse(owned("tablet", "ann", None, NOON_MS), owned("tablet", "bob", NOON_MS))

    found = stitched(
        stitch_of(warehouse),
        event(1, NOON_MS - 1, anonymousId="tablet"),
        event(2, NOON_MS, anonymousId="tablet"),
        event(3, anonymousId="nobodys"),
    )

    assert found == Stitched({1: "ann", 2: "bob"})


def test_a_user_whom_the_client_or_the_hold_has_named_stays():
    found = stitched(
        stitch_of(Warehouse(owned("tablet", "ann"))),
        event(1, anonymousId="tablet", userId="carl"),
        event(2, anonymousId="tablet")._replace(user_id="dora"),
    )

    assert found == Stitched({})


def test_an_owner_without_a_user_id_and_junk_give_nobody():
    warehouse = Warehouse(owned("mailed", "ann@shop.example", kind="email"), owned("undefined", "ann"))

    found = stitched(stitch_of(warehouse), event(1, anonymousId="mailed"), event(2, anonymousId="undefined"))

    assert found == Stitched({})
    assert warehouse.asked == ["mailed"]


def test_an_answer_is_believed_for_a_while():
    clock, warehouse = Clock(), Warehouse(owned("tablet", "ann"))
    stitch = stitch_of(warehouse, clock)

    stitched(stitch, event(1, anonymousId="tablet"))
    stitched(stitch, event(2, anonymousId="tablet"))
    clock.s += FRESH_S
    stitched(stitch, event(3, anonymousId="tablet"))

    assert warehouse.asked == ["tablet", "tablet"]


def test_a_warehouse_in_trouble_costs_its_events_the_user_and_nothing_else():
    warehouse = Warehouse(owned("tablet", "ann"))
    stitch = stitch_of(warehouse)
    stitched(stitch, event(1, anonymousId="tablet"))
    warehouse.trouble = WarehouseError("closed")

    found = stitched(stitch, event(2, anonymousId="tablet"), event(3, anonymousId="new"), event(4, userId="carl"))

    assert found == Stitched({2: "ann"}, unanswered=1)
