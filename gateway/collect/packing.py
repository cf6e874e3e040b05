"""From a request's events to what the queue is given: the events, and under which envelope. Pure."""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

from aiohttp import hdrs

from gateway.collect.digest import Digest
from gateway.collect.exchange import Exchange
from gateway.collect.page_cookies import Pairs
from gateway.collect.privacy import preferences_of
from gateway.collect.sources import Source
from gateway.collect.visitors import NAMELESS
from gateway.govern import is_refusal
from gateway.model.envelope import Envelope

MAX_USER_AGENT_CHARACTERS = 512


class Parcel(NamedTuple):
    """Events that share an envelope."""

    envelope: Envelope
    message_ids: Sequence[str]
    raws: Sequence[bytes]


def packed(source: Source, exchange: Exchange, address: str, result: Digest, now_ms: int) -> list[Parcel]:
    """The events under the envelope of their request; those that are the owner's alone under one of their own, which
    tells nothing of the page's cookies. Two at most, so that a mixed batch costs little; each in its order."""
    privacy = source.keeping.privacy
    agent, sent_at = user_agent(exchange), result.sent_at
    if privacy is not None:
        address, agent = privacy.address(address), privacy.text(agent)
        sent_at = privacy.text(sent_at) if isinstance(sent_at, str) else sent_at
    envelope = Envelope(source.name, now_ms, sent_at, address, agent)
    whole = Parcel(envelope, result.message_ids, result.raws)
    open_to_all, for_owner = _parted(whole) if result.for_owner else (whole, None)
    if source.keeping.cookies is not None:
        cookies = _cookies(source, exchange, result, open_to_all.raws)
        open_to_all = open_to_all._replace(envelope=envelope._replace(cookies=cookies))
    return [parcel for parcel in (open_to_all, for_owner) if parcel and parcel.raws]


def _parted(parcel: Parcel) -> tuple[Parcel, Parcel]:
    """What any destination may be told of, and what is the owner's alone."""
    envelope, message_ids, raws = parcel
    refused = [is_refusal(preferences_of(raw)) for raw in raws]
    allowed = [not each for each in refused]
    return (
        Parcel(envelope, list(compress(message_ids, allowed)), list(compress(raws, allowed))),
        Parcel(envelope._replace(is_refused=True), list(compress(message_ids, refused)), list(compress(raws, refused))),
    )


def user_agent(exchange: Exchange) -> str:
    """The header, cut, in valid Unicode: the parser keeps stray bytes as surrogates."""
    agent = (exchange.header(hdrs.USER_AGENT) or "")[:MAX_USER_AGENT_CHARACTERS]
    return agent if agent.isascii() else agent.encode(errors="surrogateescape").decode(errors="replace")


def _cookies(source: Source, exchange: Exchange, result: Digest, raws: Sequence[bytes]) -> Pairs:
    """None of a visitor who must not be known again."""
    rules, privacy = source.keeping.cookies, source.keeping.privacy
    if rules is None or result.frame.identity in NAMELESS:
        return ()
    kept = rules.kept(exchange.header(hdrs.COOKIE), map(preferences_of, raws))
    return tuple((name, privacy.text(value)) for name, value in kept) if privacy is not None else kept
