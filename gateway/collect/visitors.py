"""Who a page's visitor is. The cookie of record wins over what the page remembers; the answer tells the page."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiohttp import hdrs

from gateway.collect.addresses import Addresses
from gateway.collect.cookies import DAY_S, Known, Scope, domain_for, erase_cookie, is_storable, read_cookie, set_cookie
from gateway.collect.daily_ids import DailyIds
from gateway.collect.digest import Digest
from gateway.collect.exchange import Exchange
from gateway.collect.fields import Frame
from gateway.collect.linker import sign_link, verify_link
from gateway.collect.sources import Source
from gateway.config import SourceSettings
from gateway.model.clock import Clock

ROTATE, COOKIELESS, ERASE = "rotate", "cookieless", "erase"
"""What a page may say of the visitor's identity."""
NAMELESS = {COOKIELESS, ERASE}
"""Then there is nobody whom a link could take along."""


class Verdict(NamedTuple):
    """Who it is, and what becomes of the cookie."""

    anonymous_id: str
    sets_cookie: bool = False
    erases_cookie: bool = False


def decide(frame: Frame, known: Known | None, linked: str | None, nameless: str, today: int) -> Verdict:
    """The visitor of a request. `linked` is who another site says it is, `nameless` an id that lasts a day at most."""
    if frame.identity == ERASE:
        return Verdict(frame.anonymousId, erases_cookie=True)
    if frame.identity == COOKIELESS:
        return Verdict(nameless)
    if frame.identity == ROTATE or (frame.anonymousId and not is_storable(frame.anonymousId)):
        return _remembered(frame.anonymousId, known)
    if linked is not None:
        return _remembered(linked, known)
    if known is not None:
        return Verdict(known.anonymous_id, sets_cookie=known.is_old(today))
    return _remembered(frame.anonymousId, known)


def _remembered(anonymous_id: str, known: Known | None) -> Verdict:
    """An id that the cookie cannot hold must not be overruled by one that it holds."""
    if is_storable(anonymous_id):
        return Verdict(anonymous_id, sets_cookie=known is None or known.anonymous_id != anonymous_id)
    return Verdict(anonymous_id, erases_cookie=known is not None)


class Welcome(NamedTuple):
    """What a request of a page leads to."""

    result: Digest
    """Its events, under the id of who the visitor is."""
    told: Mapping[str, str]
    """For the script: `anonymousId`, where it is another than the script thought, and `link`, where it wants one."""
    cookie: bytes
    """A Set-Cookie line, or nothing."""


class Visitors:
    """Under one configuration."""

    def __init__(
        self,
        cookie_name: str,
        sources: Mapping[str, SourceSettings],
        addresses: Addresses,
        clock: Clock,
        daily_ids: DailyIds,
    ) -> None:
        self._cookie_name = cookie_name
        self._settings = {name: each.browser for name, each in sources.items()}
        self._secrets = {name: each.browser.linker_secret.get_secret_value() for name, each in sources.items()}
        self._addresses = addresses
        self._clock = clock
        self._daily_ids = daily_ids

    def known(self, exchange: Exchange) -> Known | None:
        """What the visitor's cookie says."""
        return read_cookie(exchange.header(hdrs.COOKIE), self._cookie_name)

    def welcome(self, exchange: Exchange, source: Source, address: str, result: Digest) -> Welcome:
        """Settles who the visitor of a page is. Nothing is kept on the device of one who may not be recorded."""
        now_s = self._clock.now_ms() // 1000
        frame, today = result.frame, now_s // DAY_S
        secret = self._secrets[source.name]
        nameless = ""
        if frame.identity == COOKIELESS:
            nameless = self._daily_ids.of(today, (source.name, address, exchange.header(hdrs.USER_AGENT) or ""))
        verdict = decide(frame, self.known(exchange), verify_link(frame.link, now_s, secret), nameless, today)
        told: dict[str, str] = {}
        if verdict.anonymous_id != frame.anonymousId and frame.identity != COOKIELESS:
            told["anonymousId"] = verdict.anonymous_id
        if frame.wants == "link" and secret and frame.identity not in NAMELESS and is_storable(verdict.anonymous_id):
            told["link"] = sign_link(verdict.anonymous_id, now_s, secret)
        agreed = len(result.raws) > result.for_owner
        may_keep = agreed or not (result.is_refused or source.consent.is_required)
        cookie = self._cookie_line(exchange, source, verdict, today) if may_keep or verdict.erases_cookie else b""
        former = (frame.anonymousId,) if frame.identity == ROTATE else (frame.anonymousId, frame.was)
        raws = [_renamed(raw, former, verdict.anonymous_id) for raw in result.raws]
        return Welcome(result._replace(raws=raws), told, cookie)

    def _cookie_line(self, exchange: Exchange, source: Source, verdict: Verdict, today: int) -> bytes:
        hosts = (exchange.header(hdrs.HOST) or "", (exchange.header(hdrs.ORIGIN) or "").partition("://")[2])
        domain = domain_for(hosts, self._settings[source.name].cookie_domain)
        scope = Scope(self._cookie_name, domain, self._addresses.protocol(exchange) == "https")
        if verdict.erases_cookie:
            return f"Set-Cookie: {erase_cookie(scope)}\r\n".encode()
        if verdict.sets_cookie:
            return f"Set-Cookie: {set_cookie(scope, verdict.anonymous_id, today)}\r\n".encode()
        return b""


def _renamed(raw: bytes, former: Iterable[str], new: str) -> bytes:
    """An event of our own script, whose fields are written without spaces, with a new id in place of former ones."""
    for old in former:
        if old != new and is_storable(old):
            for field in ("anonymousId", "previousId"):
                raw = raw.replace(f'"{field}":"{old}"'.encode(), f'"{field}":"{new}"'.encode())
    return raw
