"""The page's own cookies that destinations need, as far as owner and visitor let them be kept. Pure.

They are read from the request, since the gateway is on the page's own site: no script has to know them.
"""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from re import Pattern
from re import compile as compile_pattern
from typing import NamedTuple

from gateway.config import CookieSettings
from gateway.govern import ANALYTICS, MARKETING, Preferences, agrees

MOST_COOKIES = 20
MAX_COOKIE_BYTES = 1024
MAX_BYTES = 4096
"""Names and values together; what does not fit in is left out, the others are kept."""

Pairs = tuple[tuple[str, str], ...]


class PageCookies(NamedTuple):
    """Of one source."""

    patterns: Sequence[tuple[str, Pattern[str]]]
    """Categories and the names in them. A name in both is one of marketing, which asks for more."""
    own_name: str
    """The visitor's own, which says who they are: it is never kept."""
    is_required: bool
    """Visitors must have agreed; otherwise they must not have refused."""

    def kept(self, header: str | None, said: Iterable[Preferences]) -> Pairs:
        """Of a Cookie header, what may be kept with events whose visitors said so: with all of them."""
        found = list(self._wanted(header)) if header else []
        if not found:
            return ()
        preferences = list(said)
        allowed = {
            category: all(agrees(each, category, is_required=self.is_required) for each in preferences)
            for category in (ANALYTICS, MARKETING)
        }
        return bounded((name, value) for category, name, value in found if allowed[category])

    def _wanted(self, header: str) -> Iterator[tuple[str, str, str]]:
        """(category, name, value) of each cookie that the owner named; of a name that comes twice, the first."""
        seen = {self.own_name}
        for pair in header.split(";"):
            name, equals, value = pair.strip().partition("=")
            category = next((each for each, pattern in self.patterns if pattern.fullmatch(name)), "")
            if category and equals and name not in seen:
                seen.add(name)
                yield category, _readable(name), _readable(value)


def page_cookies(settings: CookieSettings, own_name: str, *, is_required: bool) -> PageCookies | None:
    """The rules, or None where the owner named no cookie."""
    named = ((MARKETING, settings.marketing), (ANALYTICS, settings.analytics))
    patterns = [(category, compile_pattern("|".join(map(translate, names)))) for category, names in named if names]
    return PageCookies(patterns, own_name, is_required) if patterns else None


def bounded(pairs: Iterable[tuple[str, str]]) -> Pairs:
    """What fits into the limits, in order."""
    kept: list[tuple[str, str]] = []
    left = MAX_BYTES
    for name, value in pairs:
        size = len(name.encode()) + len(value.encode())
        if size <= min(MAX_COOKIE_BYTES, left) and len(kept) < MOST_COOKIES:
            kept.append((name, value))
            left -= size
    return tuple(kept)


def _readable(text: str) -> str:
    """In valid Unicode: the parser keeps stray bytes as surrogates."""
    return text if text.isascii() else text.encode(errors="surrogateescape").decode(errors="replace")
