"""Which users were seen on a device lately. Pure, and bounded in bytes: anybody may send ids.

A device is an anonymous id. It belongs to the user seen last before the event in question, by the events' own times;
what happened before the first of them is the first one's, as in the warehouse (docs/identity.md).
"""

from bisect import bisect_right
from collections import OrderedDict
from typing import NamedTuple

MAX_STAYS = 4
"""Changes of the user that are remembered of one device."""

_DEVICE_BYTES = 300
_STAY_BYTES = 150
"""About what Python needs for one, without the text of the ids."""


class Stay(NamedTuple):
    """From when on a device is somebody's, in milliseconds since the epoch by the event's own time."""

    from_ms: int
    user_id: str


Stays = tuple[Stay, ...]
"""In order of time, at least one, no two neighbours of the same user."""


def with_stay(stays: Stays, stay: Stay) -> Stays:
    """`stays` and one more sighting; above MAX_STAYS the oldest goes."""
    at = bisect_right(stays, stay.from_ms, key=lambda known: known.from_ms)
    if at > 0 and stays[at - 1].user_id == stay.user_id:
        return stays
    after = stays[at + 1 :] if at < len(stays) and stays[at].user_id == stay.user_id else stays[at:]
    return (*stays[:at], stay, *after)[-MAX_STAYS:]


def owner_at(stays: Stays, happened_ms: int) -> str:
    """Whose the device was then."""
    at = bisect_right(stays, happened_ms, key=lambda known: known.from_ms)
    return stays[max(at - 1, 0)].user_id


class _Device(NamedTuple):
    last_seen_ms: int
    """When the last event with a user was received from it."""
    stays: Stays


class Sightings:
    """What is known of the devices; one without a sighting for `remember_ms` is forgotten.

    Measured between the times of receipt of the two events, so that it does not matter when they are read.
    """

    def __init__(self, remember_ms: int, max_bytes: int) -> None:
        self._remember_ms = remember_ms
        self._max_bytes = max_bytes
        self._devices: OrderedDict[str, _Device] = OrderedDict()
        self.bytes = 0
        """About what it takes in memory."""

    def note(self, anonymous_id: str, stay: Stay, received_at_ms: int) -> None:
        """An event with both ids was read."""
        known = self._devices.get(anonymous_id)
        self._forget(anonymous_id)
        stays = with_stay(known.stays, stay) if known and self._remembers(known, received_at_ms) else (stay,)
        self._devices[anonymous_id] = _Device(received_at_ms, stays)
        self.bytes += _cost_bytes(anonymous_id, stays)
        while self._devices:
            oldest_id, oldest = next(iter(self._devices.items()))
            if self.bytes <= self._max_bytes and self._remembers(oldest, received_at_ms):
                break
            self._forget(oldest_id)

    def owner(self, anonymous_id: str, happened_ms: int, received_at_ms: int) -> str | None:
        """Whose an event of the device is that names no user; None where nobody is remembered."""
        device = self._devices.get(anonymous_id)
        if device is None or not self._remembers(device, received_at_ms):
            return None
        return owner_at(device.stays, happened_ms)

    def _remembers(self, device: _Device, received_at_ms: int) -> bool:
        return received_at_ms - device.last_seen_ms <= self._remember_ms

    def _forget(self, anonymous_id: str) -> None:
        device = self._devices.pop(anonymous_id, None)
        if device is not None:
            self.bytes -= _cost_bytes(anonymous_id, device.stays)


def _cost_bytes(anonymous_id: str, stays: Stays) -> int:
    """At most; Python keeps four bytes a character."""
    return _DEVICE_BYTES + 4 * len(anonymous_id) + sum(_STAY_BYTES + 4 * len(stay.user_id) for stay in stays)
