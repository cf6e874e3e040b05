"""Which events wait for their user to be known, and for how long. Pure: no clock, no I/O.

An event with an anonymous id and no user waits until `hold` after its receipt. If an event with the same anonymous id
and a user is read meanwhile, it leaves before that one, and as that user's. Everything passes through here in the
order of the log and leaves by `ready`, so nothing of a device overtakes what came before it.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.deliver.sightings import Sightings, Stay
from gateway.model.envelope import Stored
from gateway.model.event import Event, parse_time
from gateway.model.junk import is_junk


@dataclass(frozen=True, slots=True)
class HoldLimits:
    """What a hold may take. Above it the oldest held events leave early, without a user."""

    max_events: int = 20_000
    """Between the oldest held event and the newest that was read, whether those between are held or not."""
    max_bytes: int = 16 * 2**20
    """JSON of held events."""
    max_sightings_bytes: int = 4 * 2**20
    """What remembers the users that were seen."""


class Seen(NamedTuple):
    """An event as the hold sees it."""

    stored: Stored
    anonymous_id: str = ""
    """Empty where it has none, or one that names nobody."""
    user_id: str = ""
    happened_at_ms: int = 0
    """By the event's own time, corrected; since the epoch."""


class Released(NamedTuple):
    """An event that goes on."""

    stored: Stored
    user_id: str = ""
    """Whom it is to be given to; empty where it goes as it came."""
    is_early: bool = False
    """It was held, and left before its time because there was no room."""


def look_at(stored: Stored, canonical: Callable[[Stored], Event]) -> Seen:
    """What the hold needs to know.

    An event that cannot be decoded, or whose user is junk, is nobody's: it neither waits nor joins.
    """
    try:
        event = canonical(stored)
    except (ValueError, RecursionError):
        return Seen(stored)
    anonymous_id, user_id = _identifier(event.get("anonymousId")), _identifier(event.get("userId"))
    happened_at = parse_time(event["timestamp"])
    if not anonymous_id or user_id is None or happened_at is None:
        return Seen(stored)
    return Seen(stored, anonymous_id, user_id, round(happened_at.timestamp() * 1000))


class Hold:
    """The held events of one destination, between reading and preparing. `hold_ms` zero holds nothing."""

    def __init__(self, hold_ms: int, limits: HoldLimits) -> None:
        self.hold_ms = hold_ms
        self.ready: deque[Released] = deque()
        """What may go on, in this order; whoever takes it removes it."""
        self.bytes = 0
        """JSON of what is held."""
        self._limits = limits
        self._held: OrderedDict[int, Seen] = OrderedDict()
        self._offsets_of: dict[str, deque[int]] = {}
        self._sightings = Sightings(hold_ms, limits.max_sightings_bytes)

    def __len__(self) -> int:
        return len(self._held)

    def pass_by(self, stored: Stored) -> None:
        """The next event of the log, which is none of the hold's business."""
        self.ready.append(Released(stored))

    def take(self, seen: Seen, now_ms: int) -> None:
        """The next event of the log."""
        stored, anonymous_id, user_id, happened_at_ms = seen
        received_at_ms = stored.envelope.received_at_ms
        if not anonymous_id:
            self.pass_by(stored)
        elif user_id:
            self._let_go(anonymous_id, user_id)
            self._sightings.note(anonymous_id, Stay(happened_at_ms, user_id), received_at_ms)
            self.pass_by(stored)
        elif owner := self._sightings.owner(anonymous_id, happened_at_ms, received_at_ms):
            self._let_go(anonymous_id, owner)
            self.ready.append(Released(stored, owner))
        elif self._is_over(received_at_ms, now_ms):
            self._let_go(anonymous_id, "")
            self.pass_by(stored)
        else:
            self._keep(seen)

    def read_up_to(self, next_offset: int) -> None:
        """The reader stands at `next_offset`: what is too far behind it leaves early."""
        while self._held and next_offset - self._oldest().stored.offset > self._limits.max_events:
            self._release_oldest(is_early=True)

    def release_due(self, now_ms: int) -> None:
        """What has waited long enough leaves without a user."""
        while self._held and self._is_over(self._oldest().stored.envelope.received_at_ms, now_ms):
            self._release_oldest()

    def wait_s(self, now_ms: int) -> float | None:
        """Seconds until `release_due` has something; None where nothing is held."""
        if not self._held:
            return None
        return max(0, self._oldest().stored.envelope.received_at_ms + self.hold_ms - now_ms) / 1000

    def _is_over(self, received_at_ms: int, now_ms: int) -> bool:
        """It was received `hold_ms` ago; or so far ahead, by a clock that was set back since, that it would wait for as
        long as the clock went back."""
        return not -self.hold_ms <= now_ms - received_at_ms < self.hold_ms

    def _keep(self, seen: Seen) -> None:
        self._held[seen.stored.offset] = seen
        self._offsets_of.setdefault(seen.anonymous_id, deque()).append(seen.stored.offset)
        self.bytes += len(seen.stored.raw)
        while self.bytes > self._limits.max_bytes:
            self._release_oldest(is_early=True)

    def _let_go(self, anonymous_id: str, user_id: str) -> None:
        """All that is held of a device goes on, as this user's or, where that is empty, as it came."""
        for offset in self._offsets_of.pop(anonymous_id, ()):
            stored = self._held.pop(offset).stored
            self.bytes -= len(stored.raw)
            self.ready.append(Released(stored, user_id))

    def _release_oldest(self, *, is_early: bool = False) -> None:
        """The oldest of all is the oldest of its device too."""
        offset, seen = self._held.popitem(last=False)
        self.bytes -= len(seen.stored.raw)
        offsets = self._offsets_of[seen.anonymous_id]
        oldest_of_device = offsets.popleft()
        assert oldest_of_device == offset, "a device's events are held in the order of the log"
        if not offsets:
            del self._offsets_of[seen.anonymous_id]
        self.ready.append(Released(seen.stored, is_early=is_early))

    def _oldest(self) -> Seen:
        return next(iter(self._held.values()))


def _identifier(value: Any) -> str | None:
    """Empty where there is none, None where it names nobody."""
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) and not is_junk(value) else None
