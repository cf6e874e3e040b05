"""From stored events to what a tool is sent: what the owner lets it see, in the tool's words."""

from collections.abc import Sequence

from gateway.deliver.breaker import moment
from gateway.deliver.governing import Given, Governor
from gateway.deliver.plans import Plan
from gateway.deliver.prepare import Prepared, address
from gateway.model.clock import Clock


class Preparation:
    """Of one worker, for the stream and for letters alike."""

    def __init__(self, plan: Plan, governor: Governor, clock: Clock) -> None:
        self._plan = plan
        self._governor = governor
        self._clock = clock

    async def prepared(self, given: Sequence[Given]) -> list[Prepared]:
        """What becomes of each, in their order."""
        governed = await self._governor.governed(given)
        now = moment(self._clock)
        return [
            address(stored, found, self._plan, now) if isinstance(found, list) else found
            for (stored, _), found in zip(given, governed, strict=True)
        ]
