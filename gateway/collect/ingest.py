"""From a request with events to a digest of a source that is known: rates, decoding, write keys and origins. What
becomes of the events is admission.py's."""

import asyncio
from collections.abc import Callable

from aiohttp import hdrs

from gateway.collect import refusals
from gateway.collect.addresses import Addresses
from gateway.collect.admission import INLINE_BYTES, Admission
from gateway.collect.answers import Answer, refused, retry_later
from gateway.collect.digest import Digest, digest
from gateway.collect.exchange import Exchange
from gateway.collect.judge import Rules
from gateway.collect.limits import AddressBuckets, retry_after_s
from gateway.collect.refusals import Refusal
from gateway.collect.services import Services
from gateway.collect.sources import Source, Sources

FORWARDED_FOR = "X-Forwarded-For"
ANONYMOUS = "SP-Anonymous"
"""A client that sends it, as Snowplow's trackers may, asks that its address be kept nowhere, whatever it sent."""

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
        self._rejects = services.rejects
        self._admission = Admission(services)
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
        self._admission.admit(source, exchange, address, result)

    def _refuse(self, exchange: Exchange, source: Source | None, refusal: Refusal, address: str) -> None:
        """Where privacy rules hold, the body is not kept: it may be anything, compressed for one, and rules are for
        events."""
        privacy = source.keeping.privacy if source else self._sources.strictest_privacy
        address, body = (address, exchange.body) if privacy is None else (privacy.address(address), b"")
        self._rejects.note(source.name if source else "", refusal, address, body)
        exchange.reply(refused(refusal))


def _over_rate(who: str, wait_s: float) -> Answer:
    message = f"{who} sends more requests than the gateway's owner allows; wait as Retry-After says."
    return retry_later("rate_limited", message, retry_after_s(wait_s), status=429)
