"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.amplitude import AMPLITUDE
from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.mixpanel import MIXPANEL
from gateway.destinations.posthog import POSTHOG
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    AMPLITUDE,
    CONSOLE,
    MIXPANEL,
    POSTHOG,
    WEBHOOK,
)
