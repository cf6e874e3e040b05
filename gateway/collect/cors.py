"""Which pages may send, and the CORS headers that let them.

Only origins that the configuration allows are answered, each with its own name: with credentials, which the browser
script sends, a browser takes no `*`. No answer holds anything that is private.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ALLOWED_HEADERS = (
    "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-retry-attempt, rsa-retry-reason, "
    "rsa-since-last-attempt, rsa-since-first-attempt, rsa-recovered, sp-anonymous"
)
"""Listed one by one: `*` does not cover Authorization."""
MAX_AGE_S = 7200
"""How long a browser may remember a preflight; Chromium caps it here."""
CACHE_ENTRIES = 1024

_WELL_FORMED = re.compile(r"(?:[a-z][a-z0-9+.-]*://[a-z0-9.:_\[\]-]{1,255}|null)")
_VARY = b"Vary: Origin\r\n"


@dataclass(frozen=True, slots=True)
class OriginRules:
    """Origins as the configuration lists them, ready to be asked."""

    exact: frozenset[str]
    patterns: tuple[tuple[str, str], ...]
    """(what comes before the `*`, what comes after it)"""
    everyone: bool

    def allow(self, origin: str) -> bool:
        """Whether pages of `origin` may send. A `*` in a pattern stands for one or more characters of a host name."""
        origin = origin.lower()
        if origin in self.exact or any(_matches(origin, *pattern) for pattern in self.patterns):
            return True
        return self.everyone and _WELL_FORMED.fullmatch(origin) is not None


def origin_rules(origins: Iterable[str]) -> OriginRules:
    """The rules of a source's `allowed_origins`."""
    listed = set(origins)
    patterns = tuple((before, after) for before, star, after in (each.partition("*") for each in listed) if star)
    exact = frozenset(each for each in listed if "*" not in each)
    return OriginRules(exact, tuple(pair for pair in patterns if pair != ("", "")), "*" in listed)


def is_same_site(origin: str, host: str) -> bool:
    """Whether a page at `origin` talks to its own host. The scheme is the proxy's affair and is not compared."""
    return bool(host) and origin.lower().partition("://")[2] == host.lower()


class Cors:
    """The header lines for each origin, remembered. What any source allows is allowed: a preflight has no key."""

    def __init__(self, rules: Iterable[OriginRules]) -> None:
        self._rules = tuple(rules)
        self._lines: dict[str, bytes] = {}

    def lines(self, origin: str | None) -> bytes:
        """The lines for an answer to `origin`, whatever its status."""
        if origin is None:
            return _VARY
        known = self._lines.get(origin)
        if known is not None:
            return known
        if len(self._lines) >= CACHE_ENTRIES:
            self._lines.clear()
        return self._lines.setdefault(origin, self._build(origin))

    def preflight_lines(self, origin: str | None) -> bytes:
        """The lines for an answer to OPTIONS."""
        lines = self.lines(origin)
        if lines is _VARY:
            return lines
        methods = "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
        headers = f"Access-Control-Allow-Headers: {ALLOWED_HEADERS}\r\n"
        return lines + f"{methods}{headers}Access-Control-Max-Age: {MAX_AGE_S}\r\n".encode()

    def _build(self, origin: str) -> bytes:
        if not any(rules.allow(origin) for rules in self._rules):
            return _VARY
        return (
            f"Access-Control-Allow-Origin: {origin}\r\n"
            "Access-Control-Allow-Credentials: true\r\n"
            "Access-Control-Expose-Headers: Retry-After\r\n"
        ).encode() + _VARY


def _matches(origin: str, before: str, after: str) -> bool:
    middle = origin[len(before) : len(origin) - len(after)]
    return (
        len(origin) > len(before) + len(after)
        and origin.startswith(before)
        and origin.endswith(after)
        and re.fullmatch(r"[a-z0-9.-]+", middle) is not None
    )
