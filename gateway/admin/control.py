"""What the operator may see and do, as app.py hands it in."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from gateway.admin.forgetting import Forgetting
from gateway.config import Settings
from gateway.deliver.delivery import Delivery
from gateway.model.clock import Clock
from gateway.observe.health import Health
from gateway.observe.metrics import Metrics
from gateway.queue import Queue


@dataclass(frozen=True, slots=True)
class Control:
    """The daemon, from the operator's side."""

    queue: Queue
    delivery: Delivery
    metrics: Metrics
    clock: Clock
    health: Health
    version: str
    settings: Callable[[], Settings]
    """Those that hold at the moment of the call; a reload changes them."""
    send: Callable[[str, bytes], Awaitable[str]]
    """Takes one event, by source and JSON, as intake would; returns its message id after the commit.

    Raises HeadwaterError with the reason when it is refused."""
    reload: Callable[[], Awaitable[Sequence[str]]]
    """Reads the configuration again; names the settings that changed and wait for a restart.

    Raises ConfigError, and then the old one stays."""
    forgetting: Forgetting


CONTROL = web.AppKey("control", Control)


def control_of(request: web.Request) -> Control:
    """The control of the application that serves `request`."""
    return request.app[CONTROL]
