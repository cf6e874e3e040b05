"""What outlives a configuration."""

from concurrent.futures import Executor
from random import Random
from typing import NamedTuple

from gateway.collect.daily_ids import DailyIds
from gateway.collect.rejects import Rejects
from gateway.model.clock import Clock
from gateway.observe.metrics import Metrics
from gateway.queue import Queue
from gateway.script import Assets


class Services(NamedTuple):
    """Made once, handed to each Site."""

    queue: Queue
    clock: Clock
    rng: Random
    metrics: Metrics
    assets: Assets
    rejects: Rejects
    pool: Executor
    """Where large bodies are digested."""
    daily_ids: DailyIds
