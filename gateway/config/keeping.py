"""What may be kept of the events of a source, before any of it is on disk: its privacy rules, its pages' cookies."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from gateway.config.routing import EventPath
from gateway.config.section import Section
from gateway.config.texts import like

_CONSENT = "context.consent"
_HASHABLE = ("userId", "anonymousId", "groupId", "previousId", "event")
_CORE = ("type", "messageId", _CONSENT)
"""Without these nobody could tell what an event is, whether it came before, and who may be told of it."""


def _removable(path: str) -> str:
    for core in (*_CORE, *_HASHABLE):
        if _reaches(path, core):
            raise ValueError(f'"{path}" reaches `{core}`, which every event needs; name the fields beside it')
    return path


def _hashable(path: str) -> str:
    for core in _CORE:
        if _reaches(path, core):
            raise ValueError(f'"{path}" reaches `{core}`, which must stay as it is; name the fields beside it')
    return path


def _reaches(path: str, core: str) -> bool:
    """Whether a rule for `path` would change what is at `core`: the same, what holds it, or what is within consent."""
    patterns, keys = path.split("."), core.split(".")
    if len(patterns) > len(keys) and core != _CONSENT:
        return False
    return _fit(patterns, keys)


def _fit(patterns: Sequence[str], keys: Sequence[str]) -> bool:
    return all(fnmatchcase(key, pattern) for pattern, key in zip(patterns, keys, strict=False))


Removable = Annotated[EventPath, AfterValidator(_removable)]
Hashable = Annotated[EventPath, AfterValidator(_hashable)]
ParameterName = Annotated[str, Field(min_length=1, max_length=128)]
CookiePattern = Annotated[
    str,
    like(r'[^\s;=,"]+', 'write the name of a cookie, in which * and ? stand for anything, like "_ga*"'),
    Field(max_length=128),
]
"""A cookie's name, in which * and ? stand for anything."""


class PrivacySettings(Section):
    """`[sources.NAME.privacy]`: applied to each event and its envelope before the queue."""

    ip: Literal["keep", "truncate", "drop"] = "keep"
    """Of the client's address `truncate` keeps the network: /24 of IPv4, /48 of IPv6."""
    remove: tuple[Removable, ...] = ()
    hash: tuple[Hashable, ...] = ()
    hash_key: SecretStr = SecretStr("")
    """With it hashes are HMAC-SHA256, without it SHA-256."""
    emails: Literal["keep", "hash", "remove"] = "keep"
    """E-mail addresses, wherever they are in an event."""
    url_parameters: tuple[ParameterName, ...] = ()
    """Names of query parameters whose values are taken out of the page's addresses."""
    refused: Literal["drop", "keep"] = "drop"
    """`keep`: events whose visitor refused `analytics` are stored for the owner alone."""


class CookieSettings(Section):
    """`[sources.NAME.cookies]`: cookies of the page that destinations need."""

    analytics: tuple[CookiePattern, ...] = ()
    marketing: tuple[CookiePattern, ...] = ()
    """Not where the visitor refused marketing."""
