"""The events of an archive once more, day by day, for whoever loads them elsewhere. Everything here may block.

What is at hand at once is bounded: the paths of one day, one object, and the events of one piece. An object that cannot
be read is noted, and what follows it is read all the same.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, TypeVar

from gateway.model.envelope import Stored
from gateway.model.errors import WarehouseError
from gateway.model.event import from_epoch_ms, parse_time
from gateway.warehouses.archive.bodies import lines_of
from gateway.warehouses.archive.names import STATE_FOLDER, ObjectName, parse
from gateway.warehouses.archive.settings import ArchiveSettings
from gateway.warehouses.objects import Store, open_store

T = TypeVar("T")

TRIES = 3
PAUSE_S = 1.0
MOST_OBJECTS = 100
"""In one piece: where they are small or empty, whoever waits for the piece learns how it goes all the same."""
_WHOLE = 2**64
_DAY = "dt="
_HOUR = timedelta(hours=1)


class Stretch(NamedTuple):
    """What is wanted: events that were received from one time until another, of one source or of all."""

    from_ms: int
    until_ms: int
    source: str = ""

    def has_day(self, date: str) -> bool:
        """Whether any of it lies in this day (UTC)."""
        return f"{from_epoch_ms(self.from_ms):%Y-%m-%d}" <= date <= f"{from_epoch_ms(self.until_ms - 1):%Y-%m-%d}"

    def has(self, name: ObjectName) -> bool:
        """Whether any of it may lie in this object."""
        begins_at = parse_time(f"{name.place.date}T{name.place.hour}:00:00Z") if name.place.hour else None
        if begins_at is None:
            return self.has_day(name.place.date)
        return from_epoch_ms(self.from_ms) < begins_at + _HOUR and begins_at < from_epoch_ms(self.until_ms)


class Position(NamedTuple):
    """Up to where events are read."""

    date: str = ""
    path: str = ""
    offset: int = -1
    """Of the last one in the object."""

    @property
    def is_whole(self) -> bool:
        """All of the object is read."""
        return self.offset == _WHOLE


class Piece(NamedTuple):
    """Events that follow each other in the archive."""

    events: Sequence[Stored]
    end: Position
    objects: int
    """How many were read to their end."""


class Limits(NamedTuple):
    """Of one piece."""

    max_events: int
    max_bytes: int


class _Gathered:
    """The next piece. Whoever takes it has the only copy of it: they may let go of it while they have it loaded."""

    def __init__(self, limits: Limits) -> None:
        self.events: list[Stored] = []
        self.objects = 0
        self._size = 0
        self._limits = limits

    def add(self, stored: Stored) -> bool:
        """Whether it is as large as it may be."""
        self.events.append(stored)
        self._size += len(stored.raw)
        return len(self.events) >= self._limits.max_events or self._size >= self._limits.max_bytes

    def take(self, end: Position) -> Piece:
        """What was gathered, and nothing is left."""
        piece = Piece(self.events, end, self.objects)
        self.events, self.objects, self._size = [], 0, 0
        return piece


class Past:
    """What an archive holds of a stretch of time."""

    def __init__(self, store: Store, stretch: Stretch) -> None:
        """Raises WarehouseError when the archive cannot be reached."""
        self._store = store
        self._stretch = stretch
        self.sources = [name for name in _trying(store.folders, "") if name != STATE_FOLDER]
        """Of all that is in the archive."""
        self.days = self._days()
        """Sources by day, the earliest first: those that are wanted."""
        self.unreadable: dict[str, str] = {}
        """Why, by path."""

    def pieces(self, after: Position, limits: Limits) -> Iterator[Piece]:
        """All that is wanted and follows `after`. Raises WarehouseError when the archive cannot be reached any more."""
        gathered, end = _Gathered(limits), after
        for date, path in self._paths(after):
            for stored in self._events(path, after.offset if path == after.path else -1):
                if gathered.add(stored):
                    yield gathered.take(Position(date, path, stored.offset))
            gathered.objects += 1
            end = Position(date, path, _WHOLE)
            if gathered.objects >= MOST_OBJECTS:
                yield gathered.take(end)
        if gathered.events or gathered.objects:
            yield gathered.take(end)

    def _days(self) -> Mapping[str, Sequence[str]]:
        days: dict[str, list[str]] = defaultdict(list)
        for source in [name for name in self.sources if self._stretch.source in ("", name)]:
            for folder in _trying(self._store.folders, source):
                date = folder.removeprefix(_DAY)
                if folder.startswith(_DAY) and self._stretch.has_day(date):
                    days[date].append(source)
        return dict(sorted(days.items()))

    def _paths(self, after: Position) -> Iterator[tuple[str, str]]:
        """(day, path), in the order of positions."""
        for date in self.days:
            if date < after.date:
                continue
            for path in sorted(self._paths_of(date)):
                is_read = date == after.date and (path < after.path or (path == after.path and after.is_whole))
                if not is_read:
                    yield date, path

    def _paths_of(self, date: str) -> Iterator[str]:
        for source in self.days[date]:
            for path in _trying(self._listed, f"{source}/{_DAY}{date}"):
                name = parse(path)
                if name and self._stretch.has(name):
                    yield path

    def _listed(self, folder: str) -> Sequence[str]:
        return list(self._store.list(folder))

    def _events(self, path: str, last_offset: int) -> Iterator[Stored]:
        """Those that are wanted. An object that is not there any more has none: a person's last line may have gone."""
        try:
            body = _trying(self._store.get, path)
            for _, stored in lines_of(path, body) if body is not None else ():
                is_wanted = self._stretch.from_ms <= stored.envelope.received_at_ms < self._stretch.until_ms
                if is_wanted and stored.offset > last_offset:
                    yield stored
        except WarehouseError as error:
            self.unreadable[path] = error.message


def open_past(settings: ArchiveSettings, stretch: Stretch) -> Past:
    """Raises WarehouseError when the archive cannot be reached."""
    return Past(open_store(settings), stretch)


def _trying(ask: Callable[[str], T], place: str) -> T:
    """A store that is out of reach for a moment is no reason to give up."""
    for _ in range(TRIES - 1):
        try:
            return ask(place)
        except WarehouseError:
            time.sleep(PAUSE_S)
    return ask(place)
