"""Events set aside, or brought back by the owner, are tried one to a request, so that poison stands alone."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.deliver.backoff import retry_delay_s
from gateway.deliver.breaker import moment
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.failures import is_past_horizon
from gateway.deliver.governing import Given
from gateway.deliver.isolate import Verdict
from gateway.deliver.lanes import Item
from gateway.deliver.letters import MAX_ERROR_CHARACTERS, stored_event
from gateway.deliver.plans import Plan
from gateway.deliver.preparation import Preparation
from gateway.deliver.progress import Filtered, Unsendable
from gateway.deliver.sender import Sender
from gateway.deliver.services import Services
from gateway.model.errors import QueueUnavailableError
from gateway.model.outcome import Delivered, Halt, Partial, Reject, Retry
from gateway.queue.records import Letter

POLL_S = 1.0
"""How late a due letter may be noticed; letters come due by the owner's word too, which only the queue hears."""


class LetterRounds:
    """Tries the due letters of one cursor."""

    def __init__(
        self, name: CursorName, plan: Plan, preparation: Preparation, sender: Sender, services: Services
    ) -> None:
        self.in_flight = 0
        self._name = name
        self._plan = plan
        self._preparation = preparation
        self._sender = sender
        self._services = services

    async def run(self, stopping: asyncio.Event) -> None:
        """Look for due letters until stopped."""
        while not stopping.is_set():
            await asyncio.sleep(POLL_S)
            try:
                while not stopping.is_set() and self._sender.wait_s() == 0 and await self._round():
                    pass
            except QueueUnavailableError as error:
                structlog.get_logger().warning(
                    "destination.not_recorded", destination=self._name.name, error=str(error)
                )

    async def _round(self) -> bool:
        """One request for each of a few due letters; False when there are none."""
        at_once = self._plan.settings.concurrency if self._sender.breaker.state == "closed" else 1
        due = await self._services.queue.due_letters(self._name.name, self._services.clock.now_ms(), at_once)
        async with asyncio.TaskGroup() as tasks:
            for letter in due:
                tasks.create_task(self._try(letter), name=f"deliver.{self._name.name}.letter")
        return bool(due)

    async def _try(self, letter: Letter) -> None:
        # Not from the cache: a letter's event may have a user whom the one in the log has not.
        (prepared,) = await self._preparation.prepared(
            [Given(stored_event(letter), self._services.enriching.canonical)]
        )
        match prepared:
            case Unsendable(reason, error):
                await self._bury(letter, reason, error)
            case Filtered(rule):
                await self._bury(letter, "rejected", f"the configuration keeps it back now: {rule}")
            case items:
                await self._send(letter, items)

    async def _send(self, letter: Letter, items: Sequence[Item]) -> None:
        """Part by part: what is refused of one does not keep back the others, what is to be tried again does."""
        failing_since_ms = letter.failing_since_ms if letter.attempts else 0
        verdict: Verdict = Delivered()
        self.in_flight += 1
        try:
            for item in items:
                outcome = await self._sender.request_in_turn([item.payload], failing_since_ms)
                said = outcome.items[0] if isinstance(outcome, Partial) else outcome
                verdict = verdict if isinstance(said, Delivered) else said
                if isinstance(verdict, Retry | Halt):
                    break
        finally:
            self.in_flight -= 1
        if isinstance(verdict, Delivered):
            await self._services.queue.settle_letter(letter.id)
            self._services.metrics.delivered.labels(self._name.label).inc()
        elif isinstance(verdict, Reject):
            await self._bury(letter, "rejected", verdict.reason)
        else:
            await self._postpone(letter, verdict.reason)

    async def _postpone(self, letter: Letter, error: str) -> None:
        now, policy, breaker = moment(self._services.clock), self._plan.settings.retry, self._sender.breaker
        if is_past_horizon(stored_event(letter), letter.failing_since_ms, breaker, policy, now.ms):
            await self._bury(letter, "horizon", error)
            return
        attempts = letter.attempts + 1
        wait_s = max(breaker.wait_s(now.s), retry_delay_s(attempts, policy, self._services.rng))
        next_attempt_at_ms = now.ms + round(wait_s * 1000)
        await self._services.queue.postpone_letter(
            letter.id, attempts, next_attempt_at_ms, error[:MAX_ERROR_CHARACTERS]
        )

    async def _bury(self, letter: Letter, reason: str, error: str) -> None:
        await self._services.queue.bury_letter(letter.id, reason, error[:MAX_ERROR_CHARACTERS])
        self._services.burials.note(self._name, reason)
