"""From the queue's bytes to the canonical event, once for all workers near the head."""

import json
import math
from collections.abc import Callable
from typing import Any

import orjson

from gateway.model.envelope import Stored
from gateway.model.event import Event, canonical

_MAX_INTEGER_DIGITS = 300
_SMALLEST_INTEGER = -(2**63)
_LARGEST_INTEGER = 2**64 - 1


def decode(raw: bytes) -> dict[str, Any]:
    """The event in `raw`, such that orjson can encode it again. Raises ValueError for what is no JSON object.

    Numbers follow one rule: an integer beyond 64 bits is read as a double, as every JavaScript client reads it; a
    number beyond the doubles (1e999) becomes the string that the client wrote. The raw event keeps the digits.
    """
    try:
        event = orjson.loads(raw)
    except orjson.JSONDecodeError:
        event = json.loads(raw, parse_float=_finite, parse_int=_bounded, parse_constant=str)
    if not isinstance(event, dict):
        raise ValueError("the event is not a JSON object")  # noqa: TRY004 - to the caller it is bad JSON
    return event


def canonical_event(stored: Stored) -> Event:
    """The event as destinations see it, decoded now. Raises ValueError where it cannot be decoded."""
    return canonical(decode(stored.raw), stored.envelope)


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _bounded(text: str) -> float | str:
    if len(text) > _MAX_INTEGER_DIGITS:
        return _finite(text)
    number = int(text)
    return number if _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER else float(number)


class EventCache:
    """Canonical events by offset, at most `max_bytes` of their JSON.

    Keyed by offset because workers slice the same chunk at different places. A reader far behind the others decodes
    for itself, so that it does not push out what they are about to need. The events are shared: nobody changes them,
    and what is shown here is what lies in the log, never what was added for one destination.
    """

    def __init__(self, max_bytes: int, decode: Callable[[Stored], Event] = canonical_event) -> None:
        self._max_bytes = max_bytes
        self._decode = decode
        self._bytes = 0
        self._events: dict[int, tuple[Event, int]] = {}
        self._evicted_below = 0

    def canonical(self, stored: Stored) -> Event:
        """The event as destinations see it. Raises ValueError where it cannot be decoded."""
        known = self._events.get(stored.offset)
        if known is not None:
            return known[0]
        event = self._decode(stored)
        if stored.offset >= self._evicted_below:
            self._keep(stored.offset, event, len(stored.raw))
        return event

    def clear(self) -> None:
        """Forget them all."""
        self._events.clear()
        self._bytes = 0

    def _keep(self, offset: int, event: Event, size: int) -> None:
        self._events[offset] = (event, size)
        self._bytes += size
        while self._bytes > self._max_bytes:
            oldest = next(iter(self._events))
            self._bytes -= self._events.pop(oldest)[1]
            self._evicted_below = max(self._evicted_below, oldest + 1)
