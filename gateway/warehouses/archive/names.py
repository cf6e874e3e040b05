"""Where objects are: `web/dt=2026-11-25/hr=12/FIRST-NEXT-LOG.json.gz`.

FIRST and NEXT are offsets of twenty digits: all events of that source and hour from FIRST up to NEXT are in the object.
LOG is the id of the queue that they were in. The folders are read as partitions by Spark, DuckDB, Athena and BigQuery.
"""

import re
from datetime import datetime
from typing import NamedTuple

from gateway.model.event import from_epoch_ms

STATE_FOLDER = "_headwater"
"""No source can be called so."""

_NAME = re.compile(
    r"(?P<source>[a-z][a-z0-9_-]*)/dt=(?P<date>\d{4}-\d\d-\d\d)(?:/hr=(?P<hour>\d\d))?"
    r"/(?P<first>\d{20})-(?P<next>\d{20})-(?P<log>[^/]+)\.json\.(?:gz|zst)"
)


class Place(NamedTuple):
    """A partition: events of one source, received within an hour or a day (UTC)."""

    source: str
    date: str
    hour: str = ""
    """Empty for the whole day."""

    @property
    def day_folder(self) -> str:
        """What all partitions of the day are in."""
        return f"{self.source}/dt={self.date}"

    @property
    def folder(self) -> str:
        """What its objects are in."""
        return f"{self.day_folder}/hr={self.hour}" if self.hour else self.day_folder


class ObjectName(NamedTuple):
    """What an object's name says of it."""

    place: Place
    first_offset: int
    next_offset: int
    log: str

    def path(self, suffix: str) -> str:
        """Below the archive's own place; `suffix` is `json.gz` or `json.zst`."""
        offsets = f"{self.first_offset:020d}-{self.next_offset:020d}"
        return f"{self.place.folder}/{offsets}-{self.log}.{suffix}"

    def holds(self, place: Place, offset: int) -> bool:
        """Whether the event is in it: one of the place's source and hour, with that offset."""
        is_there = self.place == place or self.place == place._replace(hour="")
        return is_there and self.first_offset <= offset < self.next_offset


def place_at(source: str, received_at_ms: int) -> Place:
    """The hour's partition."""
    received_at: datetime = from_epoch_ms(received_at_ms)
    return Place(source, f"{received_at:%Y-%m-%d}", f"{received_at:%H}")


def parse(path: str) -> ObjectName | None:
    """None for a file that is no object of an archive."""
    found = _NAME.fullmatch(path)
    if found is None:
        return None
    place = Place(found["source"], found["date"], found["hour"] or "")
    return ObjectName(place, int(found["first"]), int(found["next"]), found["log"])


def state_path(log: str, replay: str, name: str) -> str:
    """Of what the archive knows of its own loads; `replay` is empty for the log itself."""
    return f"{STATE_FOLDER}/{log}{'.' if replay else ''}{replay}/{name}.json"
