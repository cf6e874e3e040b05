"""One event given by the operator: judged, stored and answered like one that came over HTTP."""

from collections.abc import Callable
from random import Random

from gateway.collect.digest import Digest, digest
from gateway.collect.inspection import inspected
from gateway.collect.judge import Rules
from gateway.collect.privacy import drop_suppressed, preferences_of
from gateway.collect.refusals import Refusal
from gateway.config import Settings, SourceSettings
from gateway.govern import is_refusal, privacy, tracking_plan
from gateway.model.clock import Clock
from gateway.model.envelope import Envelope
from gateway.model.errors import HeadwaterError
from gateway.model.ids import uuid7
from gateway.queue import Queue

USER_AGENT = "headwater send"


class ByHand:
    """Takes single events for a source, without a write key: whoever reaches the admin listener is the owner."""

    def __init__(self, settings: Callable[[], Settings], queue: Queue, clock: Clock, rng: Random) -> None:
        server = settings().server
        self._settings = settings
        self._queue = queue
        self._clock = clock
        self._rules = Rules(
            "", server.max_event, server.max_inflated_body, lambda: uuid7(clock.now_ms(), rng), suspect=True
        )
        self._max_bytes = server.max_inflated_body

    async def send(self, source: str, event: bytes) -> str:
        """The message id of the event, once it is on disk. Raises HeadwaterError with the reason of a refusal."""
        result = digest(event, "", self._max_bytes, self._rules)
        if isinstance(result, Refusal):
            raise HeadwaterError(result.message)
        if result.rejections:
            raise HeadwaterError(result.rejections[0].refusal.message)
        self._refuse_suppressed(result)
        result = _inspected(result, self._settings().sources[source])
        self._refuse_suppressed(result)
        is_refused = any(is_refusal(preferences_of(raw)) for raw in result.raws)
        envelope = Envelope(source, self._clock.now_ms(), result.sent_at, "", USER_AGENT, (), is_refused)
        await self._queue.submit(envelope, result.message_ids, result.raws)
        return result.message_ids[0]

    def _refuse_suppressed(self, result: Digest) -> None:
        if drop_suppressed(result, self._queue.suppression)[1]:
            raise HeadwaterError("its person asked to be forgotten", hint="see `headwater forget --help`")


def _inspected(result: Digest, settings: SourceSettings) -> Digest:
    """The event as its source's rules let it be kept. Raises HeadwaterError where the tracking plan keeps it out."""
    found = inspected(result, privacy.compiled(settings.privacy), tracking_plan.compiled(settings.tracking_plan))
    if found.blocked:
        raise HeadwaterError(f"the tracking plan keeps it out: {found.sample}", hint="mend the event or the plan")
    return found.result
