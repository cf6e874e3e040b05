"""One event given by the operator: judged, stored and answered like one that came over HTTP."""

from random import Random

from gateway.collect.digest import digest
from gateway.collect.judge import Rules
from gateway.collect.privacy import drop_suppressed
from gateway.collect.refusals import Refusal
from gateway.config import ServerSettings
from gateway.model.clock import Clock
from gateway.model.envelope import Envelope
from gateway.model.errors import HeadwaterError
from gateway.model.ids import uuid7
from gateway.queue import Queue

USER_AGENT = "headwater send"


class ByHand:
    """Takes single events for a source, without a write key: whoever reaches the admin listener is the owner."""

    def __init__(self, server: ServerSettings, queue: Queue, clock: Clock, rng: Random) -> None:
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
        if drop_suppressed(result, self._queue.suppression)[1]:
            raise HeadwaterError("its person asked to be forgotten", hint="see `headwater forget --help`")
        envelope = Envelope(source, self._clock.now_ms(), result.sent_at, "", USER_AGENT)
        await self._queue.submit(envelope, result.message_ids, result.raws)
        return result.message_ids[0]
