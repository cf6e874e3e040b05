"""What every worker of the daemon shares."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from gateway.deliver.burials import Burials
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
    burials: Burials
    enriching: Enriching
    quarantine: Callable[[], Quarantine]
    """By the plans in force."""
    carry: Carry
    warehouse: Callable[[str], Warehouse]
    """The open warehouse of that name. Raises HeadwaterError where none is open."""
