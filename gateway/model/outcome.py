"""What became of a send. `classify` of a destination returns one of these; the worker acts on it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Delivered:
    """The destination has every event of the request."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The same request may succeed later; `after_s` is the destination's own wish (Retry-After), if it had one."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """The destination will never take this request; in a batch at least one event is at fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class Partial:
    """The destination answered for each event: one item per event sent, in the order of the request."""

    items: Sequence["Delivered | Retry | Reject"]


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing will succeed until the owner acts (credentials refused, account closed)."""

    reason: str


Outcome = Delivered | Retry | Reject | Partial | Halt
