"""Token buckets: one for each source, one for each client address."""

import math
from ipaddress import IPv6Address, ip_address

from gateway.config import RateSettings

MAX_ADDRESSES = 65_536
"""Buckets of addresses kept; the one that was quiet for longest is forgotten first."""


class TokenBucket:
    """`per_second` requests on average and `burst` at once; a rate without a burst allows one second's worth."""

    __slots__ = ("_burst", "_per_second", "_refilled_at_s", "_tokens")

    def __init__(self, rate: RateSettings, now_s: float) -> None:
        self._per_second = rate.per_second
        self._burst = max(1.0, float(rate.burst or rate.per_second))
        self._tokens = self._burst
        self._refilled_at_s = now_s

    def take(self, now_s: float) -> float:
        """Take one token: 0.0, or the seconds until there is one."""
        refill = (now_s - self._refilled_at_s) * self._per_second
        self._tokens = min(self._burst, self._tokens + refill)
        self._refilled_at_s = now_s
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self._per_second


class AddressBuckets:
    """A bucket for each client address, in bounded memory. An IPv6 client is its /64: it owns all of it."""

    def __init__(self, rate: RateSettings, max_addresses: int = MAX_ADDRESSES) -> None:
        self._rate = rate
        self._max_addresses = max_addresses
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, address: str, now_s: float) -> float:
        """Take one of the address's tokens: 0.0, or the seconds until there is one."""
        key = _network_of(address)
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            if len(self._buckets) >= self._max_addresses:
                del self._buckets[next(iter(self._buckets))]
            bucket = TokenBucket(self._rate, now_s)
        self._buckets[key] = bucket
        return bucket.take(now_s)


def bucket_for(rate: RateSettings, now_s: float) -> TokenBucket | None:
    """A bucket, or None where the rate is switched off."""
    return TokenBucket(rate, now_s) if rate.per_second else None


def retry_after_s(wait_s: float) -> int:
    """A wait as Retry-After says it: whole seconds, at least one."""
    return max(1, math.ceil(wait_s))


def _network_of(address: str) -> str:
    if ":" not in address:
        return address
    parsed = ip_address(address)
    return str(int(parsed) >> 64) if isinstance(parsed, IPv6Address) else address
