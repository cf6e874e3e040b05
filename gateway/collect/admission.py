"""What becomes of the events of a known source: what may not be kept is taken out, the rest is stored, and the request
is answered after the commit."""

import asyncio
from collections.abc import Sequence
from functools import partial

from gateway.collect.answers import ACCEPTED, accepted_in_part, refused, retry_later
from gateway.collect.digest import Digest, Rejection
from gateway.collect.exchange import Exchange
from gateway.collect.inspection import Inspected, inspected
from gateway.collect.packing import packed, user_agent
from gateway.collect.privacy import drop_suppressed, enforce_consent, governed_start, mentions_suppressed
from gateway.collect.services import Services
from gateway.collect.sources import Source
from gateway.model.errors import QueueFullError, QueueUnavailableError
from gateway.queue.records import Appended

INLINE_BYTES = 256 * 1024
"""What is larger, as it came or inflated, is worked on in a thread: it would keep the others waiting."""
MAX_REJECTIONS_SHOWN = 100
MAX_STARTS_GOVERNED = 100
"""Of the refused events of a request, where privacy rules hold: of the others no more is kept than why."""

SUPPRESSED = "suppressed"
BOT = "bot"
TRACKING_PLAN = "tracking_plan"
"""Why events are withheld, beside what consent says."""


class Admission:
    """Takes events in. One for each configuration."""

    def __init__(self, services: Services) -> None:
        self._queue = services.queue
        self._rejects = services.rejects
        self._clock = services.clock
        self._pool = services.pool

    def admit(self, source: Source, exchange: Exchange, address: str, result: Digest) -> None:
        """Store what may be kept, and answer now or after the commit."""
        self._note_rejections(source, address, result.rejections)
        result = self._allowed(source, exchange, address, result)
        privacy, plan = source.keeping.privacy, source.keeping.plan
        if not result.raws:
            self._answer(exchange, result)
        elif privacy is None and plan is None:
            self._submit(source, exchange, address, result)
        elif sum(map(len, result.raws)) <= INLINE_BYTES:
            self._submit_inspected(source, exchange, address, inspected(result, privacy, plan))
        else:
            loop = asyncio.get_running_loop()
            future = loop.run_in_executor(self._pool, inspected, result, privacy, plan)
            future.add_done_callback(lambda done: self._submit_inspected(source, exchange, address, done.result()))

    def _note_rejections(self, source: Source, address: str, rejections: Sequence[Rejection]) -> None:
        privacy = source.keeping.privacy
        if privacy is not None:
            address = privacy.address(address)
        for place, (_, refusal, body) in enumerate(rejections):
            start = body
            if privacy is not None:
                is_kept = place < MAX_STARTS_GOVERNED and not mentions_suppressed(body, self._queue.suppression)
                start = governed_start(body, privacy) if is_kept else b""
            self._rejects.note(source.name, refusal, address, start)

    def _allowed(self, source: Source, exchange: Exchange, address: str, result: Digest) -> Digest:
        """The events of whom they may be kept, under the id of who it is."""
        is_bot = source.keeping.is_bot
        if is_bot is not None and result.raws and is_bot(user_agent(exchange)):
            self._withhold(source, BOT, len(result.raws))
            return result._replace(message_ids=[], raws=[])
        kept, reason = enforce_consent(result, source.consent, exchange)
        self._withhold(source, reason, len(result.raws) - len(kept.raws))
        if exchange.on_admit is not None:
            kept = exchange.on_admit(exchange, source, address, kept)
        return self._without_suppressed(source, kept)  # by the visitor's id as it is now

    def _without_suppressed(self, source: Source, result: Digest) -> Digest:
        kept, suppressed = drop_suppressed(result, self._queue.suppression)
        self._withhold(source, SUPPRESSED, suppressed)
        return kept

    def _submit_inspected(self, source: Source, exchange: Exchange, address: str, found: Inspected) -> None:
        privacy = source.keeping.privacy
        self._withhold(source, TRACKING_PLAN, len(found.blocked))
        if found.violations:
            self._rejects.note_violations(source.name, found, privacy.address(address) if privacy else address)
        # Once more, by ids as they are stored: of whom a warehouse knows no other, the list has no other.
        result = self._without_suppressed(source, found.result) if privacy is not None else found.result
        if result.raws:
            self._submit(source, exchange, address, result)
        else:
            self._answer(exchange, result)

    def _withhold(self, source: Source, reason: str, events: int) -> None:
        if events:
            source.withheld.labels(source.name, reason).inc(events)

    def _submit(self, source: Source, exchange: Exchange, address: str, result: Digest) -> None:
        try:
            futures = [
                self._queue.submit(*parcel)
                for parcel in packed(source, exchange, address, result, self._clock.now_ms())
            ]
        except QueueFullError as error:
            exchange.reply(retry_later("queue_full", error.message, error.retry_after_s))
        except QueueUnavailableError as error:
            exchange.reply(retry_later("queue_unavailable", error.message, error.retry_after_s))
        else:
            committed = futures[0] if len(futures) == 1 else asyncio.gather(*futures)
            committed.add_done_callback(partial(self._committed, source, exchange, result))

    def _committed(
        self,
        source: Source,
        exchange: Exchange,
        result: Digest,
        future: "asyncio.Future[Appended] | asyncio.Future[list[Appended]]",
    ) -> None:
        error = future.exception()
        if error is not None:
            retry_s = error.retry_after_s if isinstance(error, QueueUnavailableError | QueueFullError) else 1
            exchange.reply(retry_later("queue_unavailable", "The disk refused the events; send them again.", retry_s))
            return
        answer = future.result()
        for stored, duplicates in [answer] if isinstance(answer, Appended) else answer:
            source.accepted.inc(stored)
            if duplicates:
                source.duplicates.inc(duplicates)
        if result.repaired:
            source.repaired.inc(result.repaired)
        if result.oversize:
            source.oversize.inc(result.oversize)
        self._answer(exchange, result)

    def _answer(self, exchange: Exchange, result: Digest) -> None:
        if not result.rejections:
            exchange.reply(ACCEPTED)
        elif result.is_batch:
            shown = [(each.position, each.refusal) for each in result.rejections[:MAX_REJECTIONS_SHOWN]]
            exchange.reply(accepted_in_part(shown, len(result.rejections)))
        else:
            exchange.reply(refused(result.rejections[0].refusal))
