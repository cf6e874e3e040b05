"""What a backfill shows of itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import structlog

from gateway.queue.records import Letter
from gateway.warehouses.contract import Loaded

MOST_TOLD = 1000

State = Literal["running", "done", "stopped", "failed"]


class Refusal(NamedTuple):
    """An event that the warehouse will not have. It stays in the archive."""

    message_id: str
    source: str
    reason: str
    error: str


@dataclass(slots=True)
class Tally:
    """What became of the events."""

    objects: int = 0
    events: int = 0
    rows: int = 0
    duplicates: int = 0
    kept_back: Counter[str] = field(default_factory=Counter)
    """By the rule."""
    refused: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    """The first MOST_TOLD of them."""

    def loaded(self, loaded: Loaded) -> None:
        """One load more."""
        self.rows += loaded.rows
        self.duplicates += loaded.duplicates

    def refuse(self, letter: Letter, warehouse: str) -> None:
        """One event less, in the log too."""
        self.refused += 1
        if len(self.refusals) == MOST_TOLD:
            return
        refusal = Refusal(letter.message_id, letter.source, letter.reason, letter.error)
        self.refusals.append(refusal)
        structlog.get_logger().warning("backfill.refused", destination=warehouse, **refusal._asdict())


@dataclass(frozen=True, slots=True)
class BackfillStatus:
    """One backfill at one moment."""

    destination: str
    archive: str
    state: State
    day: str
    """Which is being read, or was the last one; empty before the first. Earlier ones are done."""
    days_done: int
    days: int
    objects: int
    events: int
    rows: int
    duplicates: int
    kept_back: Mapping[str, int]
    refused: int
    unreadable: int
    """Objects."""
    waiting: str
    """Why it does not go on at the moment."""
    error: str
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What is not in the warehouse in the end; of each the first MOST_TOLD."""

    refusals: Sequence[Refusal]
    unreadable_objects: Mapping[str, str]
    """Why, by path."""
