"""HTTP, and what is published to a broker, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """A request that deliver sends. `body` is complete and uncompressed; the scheme of the URL says how it travels:
    http, https or stdout."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic or subject."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Publication:
    """What a broker is handed at once. Its answer is a Response with status 200 whose body is a JSON array: for each
    record null, or what the broker said of it."""

    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: header names in lower case, at most the first 64 KiB of the body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
