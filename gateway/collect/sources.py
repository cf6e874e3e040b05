"""The configuration's sources as a request meets them: found by write key, with their rules and counters at hand."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from prometheus_client import Counter

from gateway.collect.cors import CACHE_ENTRIES, OriginRules, is_same_site, origin_rules
from gateway.collect.limits import TokenBucket, bucket_for
from gateway.collect.page_cookies import PageCookies, page_cookies
from gateway.config import ScriptSettings, SourceSettings
from gateway.enrich import Remembered, open_detector
from gateway.govern import ConsentRules, Privacy, TrackingPlan, privacy, tracking_plan
from gateway.observe.metrics import Metrics


class Keeping(NamedTuple):
    """What its owner lets be kept of a source's events, beside the visitors' consent. None asks nothing."""

    is_bot: Callable[[str], bool] | None
    """Tells programs, whose events are not kept, by their User-Agent."""
    privacy: Privacy | None
    plan: TrackingPlan | None
    cookies: PageCookies | None


@dataclass(slots=True)
class Source:
    """One source."""

    name: str
    write_key: str
    """The first of its keys: what its script and settings carry."""
    origins: OriginRules
    bucket: TokenBucket | None
    accepted: Counter
    duplicates: Counter
    repaired: Counter
    oversize: Counter
    withheld: Counter
    """Has the labels source and reason."""
    consent: ConsentRules
    keeping: Keeping
    _answers: dict[tuple[str, str], bool] = field(default_factory=dict)

    def allows(self, origin: str, host: str) -> bool:
        """Whether a page of `origin` may send to this source through `host`. Its own host's pages always may."""
        key = (origin, host)
        known = self._answers.get(key)
        if known is None:
            if len(self._answers) >= CACHE_ENTRIES:
                self._answers.clear()
            known = self._answers[key] = is_same_site(origin, host) or self.origins.allow(origin)
        return known


class Sources:
    """All of them."""

    def __init__(
        self,
        settings: Mapping[str, SourceSettings],
        metrics: Metrics,
        now_s: float,
        own_cookie: str = ScriptSettings().cookie,
    ) -> None:
        self.by_name = {name: _source(name, each, metrics, now_s, own_cookie) for name, each in settings.items()}
        self.by_key = {key: self.by_name[name] for name, each in settings.items() for key in each.write_keys}
        self.strictest_privacy = privacy.strictest(each.privacy for each in settings.values())
        """For requests of which nobody knows the source."""
        self._by_authorization = {_authorization(key): key for key in self.by_key}

    def basic_key(self, authorization: str | None) -> str:
        """The user of Basic auth; empty for any other scheme, and for what cannot be read."""
        if authorization is None:
            return ""
        return self._by_authorization.get(authorization) or _basic_user(authorization)


def keeping_of(settings: SourceSettings, own_cookie: str) -> Keeping:
    """As the owner configured it. `own_cookie` is the name of the visitor's own."""
    return Keeping(
        is_bot=_bot_detector() if settings.bots == "drop" else None,
        privacy=privacy.compiled(settings.privacy),
        plan=tracking_plan.compiled(settings.tracking_plan),
        cookies=page_cookies(settings.cookies, own_cookie, is_required=settings.browser.mode != "full"),
    )


@cache
def _bot_detector() -> Callable[[str], bool]:
    """One for all sources and configurations: its patterns are many."""
    return Remembered(open_detector())


def _source(name: str, settings: SourceSettings, metrics: Metrics, now_s: float, own_cookie: str) -> Source:
    return Source(
        name=name,
        write_key=settings.write_keys[0],
        origins=origin_rules(settings.allowed_origins),
        bucket=bucket_for(settings.rate, now_s),
        accepted=metrics.accepted.labels(name),
        duplicates=metrics.duplicates.labels(name),
        repaired=metrics.repaired.labels(name),
        oversize=metrics.oversize.labels(name),
        withheld=metrics.withheld,
        consent=ConsentRules(
            settings.browser.mode == "consent",
            settings.browser.gpc,
            settings.browser.dnt,
            settings.privacy.refused == "keep",
        ),
        keeping=keeping_of(settings, own_cookie),
    )


def _authorization(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


def _basic_user(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeError, ValueError):
        return ""
