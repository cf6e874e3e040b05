"""Loads in any order and portion, repeated, and broken off before their commit: the tables say what a computation from
scratch says, and every row is the right person's."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gateway.model.clock import SystemClock
from gateway.model.errors import WarehouseError
from gateway.model.event import from_epoch_ms, to_iso
from gateway.warehouses.identity.keeper import IdentityKeeper
from tests.integration.warehouses.identity.slow_machine import SlowMachine
from tests.integration.warehouses.support.graph_truth import assert_right
from tests.integration.warehouses.support.places.place import NewSettings, Place
from tests.integration.warehouses.support.store import RECEIVED_AT_MS, Event, Store

HOUR_MS = 3_600_000
unique = count()
times_ms = st.integers(0, 3).map(lambda n: n * HOUR_MS // 2) | st.integers(0, 5)
devices = st.sampled_from(["p", "q", "r", "null"])
users = st.sampled_from(["U", "V", "W", "undefined"])
mails = st.sampled_from(["a@x", " A@X ", "b@x", "n/a"])
shapes = st.one_of(
    st.fixed_dictionaries({"type": st.just("page"), "anonymousId": devices}, optional={"userId": users}),
    st.fixed_dictionaries(
        {"type": st.just("identify"), "anonymousId": devices},
        optional={"userId": users, "traits": mails.map(lambda mail: {"email": mail})},
    ),
    st.fixed_dictionaries({"type": st.just("alias"), "userId": users, "previousId": users | devices}),
    st.fixed_dictionaries(
        {"type": st.just("track"), "event": st.just("E"), "userId": users}, optional={"anonymousId": devices}
    ),
)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Event]]:
    """Events in the portions in which they are loaded; some come again."""
    shaped = draw(st.lists(st.tuples(shapes, times_ms), min_size=1, max_size=25))
    events = [
        shape | {"messageId": f"m{number:02}", "timestamp": to_iso(from_epoch_ms(RECEIVED_AT_MS - HOUR_MS * 9 + time))}
        for number, (shape, time) in enumerate(shaped)
    ]
    arrived = draw(st.permutations([*events, *draw(st.lists(st.sampled_from(events), max_size=4))]))
    cuts = sorted({0, len(arrived), *draw(st.lists(st.integers(0, len(arrived)), max_size=4))})
    return [list(arrived[start:stop]) for start, stop in pairwise(cuts)]


def test_every_row_is_the_right_persons_whatever_came_when(
    place: Place, served: Callable[[str], NewSettings], tmp_path: Path
):
    new_settings, numbers = served(place.kind.name), count()

    @settings(max_examples=place.kind.examples // 3, deadline=None, phases=[Phase.generate])
    @given(histories(), st.integers(0, 5), st.integers(0, 5), st.sampled_from([SystemClock, SlowMachine]))
    def hold(portions: list[list[Event]], broken: int, restarted: int, clock: type[SystemClock]) -> None:
        fresh = replace(place, settings=new_settings(tmp_path / str(next(numbers))))
        asyncio.run(load_and_compare(fresh, portions, broken, restarted, clock()))

    hold()


async def load_and_compare(
    place: Place, portions: Sequence[list[Event]], broken: int, restarted: int, clock: SystemClock
) -> None:
    """One load of `broken` fails before its commit; the process starts anew before `restarted`."""
    offset = 0
    for some in (portions[:restarted], portions[restarted:]):
        async with place.open(clock) as warehouse:
            store = Store(warehouse)
            store.offset = offset
            for portion in some:
                if portion is portions[min(broken, len(portions) - 1)]:
                    await break_off(place, store, portion)
                await store.load(*portion)
            offset = store.offset
    async with place.open(clock) as warehouse:
        events = {event["messageId"]: event for portion in portions for event in portion}
        await assert_right(place, Store(warehouse), list(events.values()))


async def break_off(place: Place, store: Store, portion: list[Event]) -> None:
    """A load that fails after it has changed the graph, and before its commit. Where that leaves nothing, the load that
    follows may be another one."""
    offset = store.offset
    lost = {"type": "identify", "messageId": f"lost{next(unique)}", "anonymousId": "z", "userId": "Z"}
    take = IdentityKeeper.take

    def fail(*arguments: Any) -> Any:
        take(*arguments)
        raise WarehouseError("the disk is gone")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IdentityKeeper, "take", fail)
        has_to_fail = pytest.raises(WarehouseError, match="the disk is gone")
        with has_to_fail if place.kind.is_transactional else suppress(WarehouseError):
            await store.load(*portion, *([lost] if place.kind.is_transactional else []))
    store.offset = offset
