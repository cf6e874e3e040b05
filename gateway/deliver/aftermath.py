"""What becomes of a parcel once it was answered: outcomes for the finished events, another try for the rest."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.deliver.backoff import retry_delay_s
from gateway.deliver.breaker import moment
from gateway.deliver.failures import is_past_horizon, order_wait_left_s, works_for_others
from gateway.deliver.isolate import Verdict
from gateway.deliver.lanes import Item, Lanes, Parcel
from gateway.deliver.letters import Trouble, dead_letter, retry_letter
from gateway.deliver.plans import Plan
from gateway.deliver.recorder import Recorder
from gateway.deliver.sender import Sender
from gateway.deliver.services import Services
from gateway.model.outcome import Delivered, Halt, Reject, Retry


class Aftermath:
    """Settles the parcels of one cursor."""

    def __init__(self, plan: Plan, lanes: Lanes, recorder: Recorder, sender: Sender, services: Services) -> None:
        self._policy = plan.settings.retry
        self._lanes = lanes
        self._recorder = recorder
        self._sender = sender
        self._services = services
        self._name = recorder.cursor.destination

    def settle(self, parcel: Parcel, verdicts: Sequence[Verdict]) -> None:
        """One verdict for each event of the parcel, in its order."""
        answers = list(zip(parcel.items, verdicts, strict=True))
        done = [(item, verdict) for item, verdict in answers if isinstance(verdict, Delivered | Reject)]
        rest = [(item, verdict) for item, verdict in answers if isinstance(verdict, Retry | Halt)]
        self._lanes.settled([item for item, _ in done], [item for item, _ in rest])
        for item, verdict in done:
            if isinstance(verdict, Reject):
                tried = replace(parcel, attempts=parcel.attempts + 1)
                self._bury(item, "rejected", self._trouble(tried, verdict.reason))
            else:
                self._recorder.settle(item.stored.offset, verdict, item.parts)
        if rest:
            failed = replace(
                parcel,
                items=[item for item, _ in rest],
                attempts=parcel.attempts + 1,
                failing_since_ms=parcel.failing_since_ms or self._services.clock.now_ms(),
            )
            self._try_again(failed, rest[0][1])

    def unblock(self) -> None:
        """The window is full and only parcels that wait are left: what others outlived no longer waits in it."""
        for parcel in self._lanes.take_waiting():
            if works_for_others(self._sender.breaker, parcel.failing_since_ms):
                self._set_aside(parcel, "failed while other events were accepted")
            else:
                self._lanes.hold(parcel, 0.0)

    def _try_again(self, parcel: Parcel, answer: Retry | Halt) -> None:
        now, breaker = moment(self._services.clock), self._sender.breaker
        parcel = self._without_expired(parcel, answer.reason, now.ms)
        wait_left_s = order_wait_left_s(parcel, breaker, self._policy, now.ms)
        if not parcel.items:
            return
        if wait_left_s == 0:
            self._set_aside(parcel, answer.reason)
        elif breaker.state != "closed":
            # The breaker holds everything back; once it closes, by its timer or by the owner, nothing else does.
            self._lanes.hold(parcel, now.s)
        else:
            after_s = answer.after_s if isinstance(answer, Retry) else None
            delay_s = retry_delay_s(parcel.attempts, self._policy, self._services.rng, after_s)
            self._lanes.hold(parcel, now.s + (delay_s if wait_left_s is None else min(delay_s, wait_left_s)))

    def _without_expired(self, parcel: Parcel, error: str, now_ms: int) -> Parcel:
        breaker, since_ms = self._sender.breaker, parcel.failing_since_ms
        expired = [
            item for item in parcel.items if is_past_horizon(item.stored, since_ms, breaker, self._policy, now_ms)
        ]
        if not expired:
            return parcel
        rest = [item for item in parcel.items if item not in expired]
        self._lanes.settled(expired, rest)
        for item in expired:
            self._bury(item, "horizon", self._trouble(parcel, error))
        return replace(parcel, items=rest)

    def _set_aside(self, parcel: Parcel, error: str) -> None:
        """Its people's later events go on; each of its events is tried alone from now on."""
        self._lanes.settled(parcel.items)
        for item in parcel.items:
            delay_s = retry_delay_s(parcel.attempts, self._policy, self._services.rng)
            next_attempt_at_ms = self._services.clock.now_ms() + round(delay_s * 1000)
            letter = retry_letter(item.stored, self._name, next_attempt_at_ms, self._trouble(parcel, error))
            self._recorder.settle(item.stored.offset, letter, item.parts)

    def _bury(self, item: Item, reason: str, trouble: Trouble) -> None:
        letter = dead_letter(item.stored, self._name, reason, trouble)
        self._recorder.settle(item.stored.offset, letter, item.parts)

    def _trouble(self, parcel: Parcel, error: str) -> Trouble:
        return Trouble(error, parcel.attempts, parcel.failing_since_ms or self._services.clock.now_ms())
