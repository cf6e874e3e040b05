"""The configuration's sources as a request meets them: found by write key, with their rules and counters at hand."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import Counter

from gateway.collect.cors import CACHE_ENTRIES, OriginRules, is_same_site, origin_rules
from gateway.collect.limits import TokenBucket, bucket_for
from gateway.config import SourceSettings
from gateway.govern import ConsentRules
from gateway.observe.metrics import Metrics


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

    def __init__(self, settings: Mapping[str, SourceSettings], metrics: Metrics, now_s: float) -> None:
        self.by_name = {name: _source(name, each, metrics, now_s) for name, each in settings.items()}
        self.by_key = {key: self.by_name[name] for name, each in settings.items() for key in each.write_keys}
        self._by_authorization = {_authorization(key): key for key in self.by_key}

    def basic_key(self, authorization: str | None) -> str:
        """The user of Basic auth; empty for any other scheme, and for what cannot be read."""
        if authorization is None:
            return ""
        return self._by_authorization.get(authorization) or _basic_user(authorization)


def _source(name: str, settings: SourceSettings, metrics: Metrics, now_s: float) -> Source:
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
        consent=ConsentRules(settings.browser.mode == "consent", settings.browser.gpc, settings.browser.dnt),
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
