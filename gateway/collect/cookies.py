"""The cookie that knows a visitor: one, opaque, set by us and unreadable to scripts. Pure.

Set by the server on the page's own host, it outlives what Safari lets scripts keep (webkit.org/tracking-prevention).
Its lifetime stays below the 400 days that Chromium allows and the 13 months that the CNIL does.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

DAY_S = 86_400
MAX_AGE_S = 395 * DAY_S
RENEWED_AFTER_DAYS = 30
_STORABLE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VALUE = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9]{1,6})")


class Known(NamedTuple):
    """What a cookie says."""

    anonymous_id: str
    issued_day: int
    """Days since 1970."""

    def is_old(self, today: int) -> bool:
        """Whether it is time to set it again; one from the future has no business there."""
        return not 0 <= today - self.issued_day < RENEWED_AFTER_DAYS


class Scope(NamedTuple):
    """Where a cookie holds."""

    name: str
    domain: str
    """Empty: for the host that set it alone."""
    is_secure: bool


def read_cookie(header: str | None, name: str) -> Known | None:
    """The newest cookie of this name in a Cookie header: after a change of the domain there may be two."""
    if not header:
        return None
    values = [value for key, _, value in (pair.strip().partition("=") for pair in header.split(";")) if key == name]
    found = [match for value in values if (match := _VALUE.fullmatch(value))]
    return max((Known(match[1], int(match[2])) for match in found), key=lambda known: known.issued_day, default=None)


def domain_for(hosts: Iterable[str], domain: str) -> str:
    """The domain of a cookie, given the one that is wished: none, where a browser would refuse it, because none of
    `hosts` is below it. Some proxies keep the host that was asked from us, so the page's own counts as well."""
    return domain if any(f".{host.partition(':')[0].lower()}".endswith(f".{domain}") for host in hosts) else ""


def is_storable(anonymous_id: str) -> bool:
    """Whether the id fits into a cookie: pages may choose ids that do not."""
    return _STORABLE.fullmatch(anonymous_id) is not None


def set_cookie(scope: Scope, anonymous_id: str, today: int) -> str:
    """The value of a Set-Cookie header."""
    return f"{scope.name}={anonymous_id}.{today}; Max-Age={MAX_AGE_S}{_attributes(scope)}"


def erase_cookie(scope: Scope) -> str:
    """The value of a Set-Cookie header that takes the cookie away."""
    return f"{scope.name}=; Max-Age=0{_attributes(scope)}"


def _attributes(scope: Scope) -> str:
    domain = f"; Domain={scope.domain}" if scope.domain else ""
    return f"; Path=/{domain}; HttpOnly; SameSite=Lax{'; Secure' if scope.is_secure else ''}"
