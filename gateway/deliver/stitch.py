"""Whose an anonymous event is, by what a warehouse knows: for tools that should hear of a user whom the client forgot.

The warehouse is asked for some devices at a time, and its answers are remembered for a while. One that is closed or
slow holds nothing up: the events go as they came, and are counted.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.deliver.hold import Released, Seen, look_at
from gateway.model.clock import Clock
from gateway.model.envelope import Stored
from gateway.model.errors import HeadwaterError
from gateway.model.event import Event
from gateway.model.person import USER_ID, Tenure
from gateway.warehouses.contract import Warehouse

FRESH_S = 30.0
"""How long an answer is believed."""
PATIENCE_S = 2.0
REMEMBERED = 10_000
"""Devices."""


@dataclass(frozen=True, slots=True)
class Stitched:
    """Users by the offsets of events, and how many events the warehouse gave no answer for."""

    users: Mapping[int, str]
    unanswered: int = 0


class Stitch:
    """Asks the warehouse of one destination."""

    def __init__(self, warehouse: Callable[[], Warehouse], clock: Clock) -> None:
        self._warehouse = warehouse
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Sequence[Tenure]]] = OrderedDict()

    async def users_of(self, released: Iterable[Released], canonical: Callable[[Stored], Event]) -> Stitched:
        """Who owned the devices of those events that have no user, at the time of each event."""
        looked_at = [look_at(each.stored, canonical) for each in released if not each.user_id]
        nameless = [seen for seen in looked_at if seen.anonymous_id and not seen.user_id]
        stale_s = self._clock.monotonic_s() - FRESH_S
        asked = {
            seen.anonymous_id for seen in nameless if self._known.get(seen.anonymous_id, (stale_s, ()))[0] <= stale_s
        }
        if asked and not await self._ask(asked):
            answered = [seen for seen in nameless if seen.anonymous_id not in asked]
            return Stitched(self._users(answered), len(nameless) - len(answered))
        return Stitched(self._users(nameless))

    async def _ask(self, devices: Collection[str]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE_S):
                owned = await self._warehouse().owners(devices)
        except (HeadwaterError, TimeoutError):
            return False
        now_s = self._clock.monotonic_s()
        for device in devices:
            self._known[device] = now_s, owned.get(device, ())
            self._known.move_to_end(device)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return True

    def _users(self, nameless: Iterable[Seen]) -> dict[int, str]:
        found = {seen.stored.offset: self._owner(seen) for seen in nameless}
        return {offset: user for offset, user in found.items() if user}

    def _owner(self, seen: Seen) -> str:
        """The user; empty where nobody owns the device, or somebody who is known by a strong identifier alone."""
        at_us = seen.happened_at_ms * 1000
        for tenure in self._known.get(seen.anonymous_id, (0.0, ()))[1]:
            begun = tenure.from_us is None or at_us >= tenure.from_us
            if begun and (tenure.to_us is None or at_us < tenure.to_us):
                return tenure.owner.value if tenure.owner.type == USER_ID else ""
        return ""
