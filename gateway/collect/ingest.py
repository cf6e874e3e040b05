"""From a request with events to an answer: rates, decoding, the source and its origins, the queue, and the answer
after the commit."""

import asyncio
from collections.abc import Callable
from functools import partial

from aiohttp import hdrs

from gateway.collect import refusals
from gateway.collect.addresses import Addresses
from gateway.collect.answers import ACCEPTED, Answer, accepted_in_part, refused, retry_later
from gateway.collect.digest import Digest, digest
from gateway.collect.exchange import Exchange
from gateway.collect.judge import Rules
from gateway.collect.limits import AddressBuckets, retry_after_s
from gateway.collect.privacy import drop_suppressed, enforce_consent
from gateway.collect.refusals import Refusal
from gateway.collect.services import Services
from gateway.collect.sources import Source, Sources
from gateway.model.envelope import Envelope
from gateway.model.errors import QueueFullError, QueueUnavailableError
from gateway.queue.records import Appended

INLINE_BYTES = 256 * 1024
"""A larger body, as it came or inflated, is digested in a thread: it would keep the others waiting."""
MAX_REJECTIONS_SHOWN = 100
MAX_USER_AGENT_CHARACTERS = 512
FORWARDED_FOR = "X-Forwarded-For"
ANONYMOUS = "SP-Anonymous"
"""A client that sends it, as Snowplow's trackers may, asks that its address be kept nowhere, whatever it sent."""

SUPPRESSED = "suppressed"

Reader = Callable[[bytes, str, int, Rules], Digest | Refusal]
"""Finds the events in a body: (bytes on the wire, Content-Encoding, limit after inflating, rules). Pure."""


class Ingest:
    """Takes events. Rebuilt when the configuration changes; requests in hand finish with the one they began with."""

    def __init__(
        self, sources: Sources, addresses: Addresses, by_address: AddressBuckets | None, services: Services
    ) -> None:
        self._sources = sources
        self._addresses = addresses
        self._by_address = by_address
        self._queue = services.queue
        self._rejects = services.rejects
        self._clock = services.clock
        self._pool = services.pool

    def post(self, rules: Rules, exchange: Exchange) -> None:
        """Handles a POST whose body holds the events."""
        self.take(rules, exchange, exchange.body)

    def take(self, rules: Rules, exchange: Exchange, body: bytes, read: Reader = digest) -> None:
        """Takes the events that `read` finds in `body`, and answers the exchange now or after the commit."""
        address = self._addresses.client(exchange.peer, exchange.header(FORWARDED_FOR))
        if self._by_address is not None:
            wait_s = self._by_address.take(address, self._clock.monotonic_s())
            if wait_s:
                exchange.reply(_over_rate("Your address", wait_s))
                return
        encoding = exchange.header(hdrs.CONTENT_ENCODING) or ""
        if len(body) <= INLINE_BYTES:
            result = read(body, encoding, INLINE_BYTES, rules)
            if result is not refusals.BODY_TOO_LARGE:
                self._admit(exchange, address, result)
                return
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(self._pool, read, body, encoding, rules.max_body_bytes, rules)
        future.add_done_callback(lambda done: self._admit(exchange, address, done.result()))

    def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Refuses a request whose body was not read."""
        address = self._addresses.client(exchange.peer, exchange.header(FORWARDED_FOR))
        self._admit(exchange, address, refusal)

    def _admit(self, exchange: Exchange, address: str, result: Digest | Refusal) -> None:
        if exchange.header(ANONYMOUS) is not None:
            address = ""
        key = self._find_key(exchange, "" if isinstance(result, Refusal) else result.write_key)
        source = self._sources.by_key.get(key)
        if isinstance(result, Refusal):
            self._refuse(exchange, source, result, address)
        elif source is None:
            refusal = refusals.UNKNOWN_WRITE_KEY if key else refusals.MISSING_WRITE_KEY
            self._refuse(exchange, None, refusal, address)
        else:
            self._admit_to(source, exchange, address, result)

    def _find_key(self, exchange: Exchange, in_body: str) -> str:
        key = self._sources.basic_key(exchange.header(hdrs.AUTHORIZATION)) or in_body
        return exchange.parameters().get("writeKey", "") if not key and exchange.query else key

    def _admit_to(self, source: Source, exchange: Exchange, address: str, result: Digest) -> None:
        origin = exchange.header(hdrs.ORIGIN)
        if origin is not None and not source.allows(origin, exchange.header(hdrs.HOST) or ""):
            self._refuse(exchange, source, refusals.ORIGIN_NOT_ALLOWED, address)
            return
        if source.bucket is not None:
            wait_s = source.bucket.take(self._clock.monotonic_s())
            if wait_s:
                exchange.reply(_over_rate("This source", wait_s))
                return
        for rejection in result.rejections:
            self._rejects.note(source.name, rejection.refusal, address, rejection.body)
        result = self._govern(source, exchange, address, result)
        if result.raws:
            self._submit(source, exchange, address, result)
        else:
            self._answer(exchange, result)

    def _govern(self, source: Source, exchange: Exchange, address: str, result: Digest) -> Digest:
        """The events that may be stored, as they are to be stored."""
        kept, reason = enforce_consent(result, source.consent, exchange)
        if reason:
            source.withheld.labels(source.name, reason).inc(len(result.raws) - len(kept.raws))
        if exchange.on_admit is not None:
            kept = exchange.on_admit(exchange, source, address, kept)
        kept, suppressed = drop_suppressed(kept, self._queue.suppression)  # by the visitor's id as it is now
        if suppressed:
            source.withheld.labels(source.name, SUPPRESSED).inc(suppressed)
        return kept

    def _submit(self, source: Source, exchange: Exchange, address: str, result: Digest) -> None:
        agent = _user_agent(exchange.header(hdrs.USER_AGENT))
        envelope = Envelope(source.name, self._clock.now_ms(), result.sent_at, address, agent)
        try:
            future = self._queue.submit(envelope, result.message_ids, result.raws)
        except QueueFullError as error:
            exchange.reply(retry_later("queue_full", error.message, error.retry_after_s))
        except QueueUnavailableError as error:
            exchange.reply(retry_later("queue_unavailable", error.message, error.retry_after_s))
        else:
            future.add_done_callback(partial(self._committed, source, exchange, result))

    def _committed(
        self, source: Source, exchange: Exchange, result: Digest, future: "asyncio.Future[Appended]"
    ) -> None:
        error = future.exception()
        if error is not None:
            retry_s = error.retry_after_s if isinstance(error, QueueUnavailableError | QueueFullError) else 1
            exchange.reply(retry_later("queue_unavailable", "The disk refused the events; send them again.", retry_s))
            return
        stored, duplicates = future.result()
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

    def _refuse(self, exchange: Exchange, source: Source | None, refusal: Refusal, address: str) -> None:
        self._rejects.note(source.name if source else "", refusal, address, exchange.body)
        exchange.reply(refused(refusal))


def _over_rate(who: str, wait_s: float) -> Answer:
    message = f"{who} sends more requests than the gateway's owner allows; wait as Retry-After says."
    return retry_later("rate_limited", message, retry_after_s(wait_s), status=429)


def _user_agent(header: str | None) -> str:
    """The header, cut, in valid Unicode: the parser keeps stray bytes as surrogates."""
    agent = (header or "")[:MAX_USER_AGENT_CHARACTERS]
    return agent if agent.isascii() else agent.encode(errors="surrogateescape").decode(errors="replace")
