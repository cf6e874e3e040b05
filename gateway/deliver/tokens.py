"""Keeps the token that a destination's settings are exchanged for, and fetches another before it runs out."""

import asyncio

from gateway.deliver.plans import Plan
from gateway.deliver.transport import Carry
from gateway.destinations.contract import Token
from gateway.model.clock import Clock
from gateway.model.outcome import Halt, Retry

MARGIN_S = 60.0
"""A token is replaced that long before it runs out: a request takes a while."""


class Tokens:
    """The token of one worker, or none where its kind needs none."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._fetching = asyncio.Lock()
        self._value = ""
        self._good_until_s = 0.0

    async def current(self, carry: Carry) -> str | Retry | Halt:
        """A token that holds; empty where there is none to be fetched. Raises UnreachableError."""
        grant = self._plan.kind.grant
        request = grant.request(self._plan.settings) if grant else None
        if grant is None or request is None:
            return ""
        async with self._fetching:
            if self._clock.monotonic_s() < self._good_until_s:
                return self._value
            answer = grant.read(await carry(request, self._plan.settings.timeout))
            if not isinstance(answer, Token):
                return answer
            self._value = answer.value
            self._good_until_s = self._clock.monotonic_s() + max(0.0, answer.expires_in_s - MARGIN_S)
            return self._value

    def dismiss(self, value: str) -> bool:
        """The token was refused; whether another can be had."""
        if value and value == self._value:
            self._good_until_s = 0.0
        return bool(value)
