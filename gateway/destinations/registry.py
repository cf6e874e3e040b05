"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.heap import HEAP
from gateway.destinations.http import HTTP
from gateway.destinations.rudderstack import RUDDERSTACK
from gateway.destinations.segment import SEGMENT
from gateway.destinations.slack import SLACK
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    CONSOLE,
    HEAP,
    HTTP,
    RUDDERSTACK,
    SEGMENT,
    SLACK,
    WEBHOOK,
)
