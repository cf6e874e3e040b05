"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.braze import BRAZE
from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.customerio import CUSTOMERIO
from gateway.destinations.iterable import ITERABLE
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    BRAZE,
    CONSOLE,
    CUSTOMERIO,
    ITERABLE,
    WEBHOOK,
)
