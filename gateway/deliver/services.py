"""What every worker of the daemon shares."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from gateway.deliver.enriching import Enriching
from gateway.deliver.quarantine import Quarantine
from gateway.deliver.transport import Carry
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.warehouses.contract import Warehouse


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to each worker; none of it belongs to a destination."""

    queue: Queue
    clock: Clock
    rng: random.Random
    metrics: Metrics
    enriching: Enriching
    quarantine: Callable[[], Quarantine]
    """By the plans in force."""
    carry: Carry
    warehouse: Callable[[str], Warehouse]
    """The open warehouse of that name. Raises HeadwaterError where none is open."""


@dataclass(frozen=True, slots=True)
class CursorName:
    """A cursor's name, `mail` or `mail#replay-3`, and what is derived from it."""

    name: str

    @property
    def destination(self) -> str:
        """The destination as it is called in the configuration."""
        return self.name.partition("#")[0]

    @property
    def suffix(self) -> str:
        """`#replay-3`; empty for a destination's own cursor."""
        return self.name.removeprefix(self.destination)

    @property
    def is_replay(self) -> bool:
        """Whether it reads a stretch of the past beside the destination's own cursor."""
        return bool(self.suffix)

    @property
    def label(self) -> str:
        """For metrics: replays share one label, so that their number does not grow the label's values."""
        return f"{self.destination}#replay" if self.is_replay else self.name
