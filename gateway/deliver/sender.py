"""The gate in front of one destination: breaker, rate limits, and what each answer says about its health."""

import asyncio
from collections.abc import Sequence

import structlog

from gateway.deliver.backoff import paused_delay_s, retry_delay_s
from gateway.deliver.breaker import Breaker, moment
from gateway.deliver.cursor_name import CursorName
from gateway.deliver.exchange import exchange
from gateway.deliver.plans import Plan
from gateway.deliver.rate import SendRate
from gateway.deliver.services import Services
from gateway.deliver.tokens import Tokens
from gateway.deliver.transport import Carry
from gateway.destinations.contract import Payload
from gateway.model.outcome import Halt, Outcome, Reject, Retry

_BREAKER_LEVEL = {"closed": 0, "half_open": 1, "open": 2}


class Sender:
    """Sends for one cursor, events of the stream and letters alike."""

    def __init__(
        self, cursor: CursorName, plan: Plan, rate: SendRate, breaker: Breaker, services: Services, carry: Carry
    ) -> None:
        self.breaker = breaker
        self._cursor = cursor
        self._plan = plan
        self._rate = rate
        self._services = services
        self._carry = carry
        self._tokens = Tokens(plan, services.clock)
        self._show()

    def wait_s(self) -> float:
        """Seconds until a request may start; infinity while a probe is out."""
        now_s = self._services.clock.monotonic_s()
        return max(self.breaker.wait_s(now_s), self._rate.wait_s(now_s))

    def start(self, events: int) -> None:
        """Claim the start of one request with that many events; call `request` next."""
        self._change(self.breaker.sending())
        self._rate.spend(self._services.clock.monotonic_s(), events)

    async def request(self, payloads: Sequence[Payload], failing_since_ms: int) -> Outcome:
        """Send a request that was started. `failing_since_ms` is zero for what never failed before."""
        clock, metrics, label = self._services.clock, self._services.metrics, self._cursor.label
        began_s = clock.monotonic_s()
        answer = await exchange(payloads, self._plan, clock.now_ms(), self._carry, self._tokens)
        outcome = self._doubted(answer, failing_since_ms)
        metrics.send_seconds.labels(label).observe(clock.monotonic_s() - began_s)
        metrics.requests_sent.labels(label, type(outcome).__name__.lower()).inc()
        if failing_since_ms:
            metrics.retried.labels(label).inc(len(payloads))
        self._learn(outcome)
        return outcome

    async def request_in_turn(self, payloads: Sequence[Payload], failing_since_ms: int) -> Outcome:
        """Send a further request of one already under way, as soon as the rate allows it."""
        while wait_s := self._rate.wait_s(self._services.clock.monotonic_s()):  # noqa: ASYNC110 - waits for time alone
            await asyncio.sleep(wait_s)
        if self.breaker.state == "open":
            return Retry(self.breaker.last_error)
        self.start(len(payloads))
        return await self.request(payloads, failing_since_ms)

    def resume(self) -> None:
        """The owner says: try now."""
        self._change(self.breaker.resumed(moment(self._services.clock)))

    def _doubted(self, outcome: Outcome, failing_since_ms: int) -> Outcome:
        """Credentials that work for others are not at fault: a firewall in front of the peer dislikes this event."""
        if isinstance(outcome, Halt) and failing_since_ms and self.breaker.last_success_ms > failing_since_ms:
            return Reject(f"{outcome.reason}, while other events were accepted")
        return outcome

    def _learn(self, outcome: Outcome) -> None:
        now, policy, rng = moment(self._services.clock), self._plan.settings.retry, self._services.rng
        attempt = self.breaker.attempts + 1
        if isinstance(outcome, Halt):
            delay_s = paused_delay_s(attempt, policy, rng)
            self._change(self.breaker.opened(now, delay_s, outcome.reason, paused=True))
        elif isinstance(outcome, Retry):
            failed = self.breaker.failed(now, outcome.reason)
            if failed.must_open or outcome.after_s is not None:
                delay_s = retry_delay_s(attempt, policy, rng, outcome.after_s)
                failed = failed.opened(now, delay_s, outcome.reason, paused=False)
            self._change(failed)
        else:
            self._change(self.breaker.succeeded(now))

    def _change(self, breaker: Breaker) -> None:
        before, self.breaker = self.breaker, breaker
        if before.state == breaker.state:
            return
        log = structlog.get_logger().bind(destination=self._cursor.name)
        if breaker.paused and not before.paused:
            log.error("destination.paused", error=breaker.last_error, hint="fix it, then resume the destination")
        elif before.state == "closed" and breaker.state == "open":
            log.warning("destination.failing", error=breaker.last_error)
        elif breaker.state == "closed":
            log.info("destination.recovered", attempts=before.attempts)
        self._show()

    def _show(self) -> None:
        metrics, label = self._services.metrics, self._cursor.label
        metrics.breaker_state.labels(label).set(_BREAKER_LEVEL[self.breaker.state])
        metrics.paused.labels(label).set(self.breaker.paused)
