"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.ga4 import GA4
from gateway.destinations.google_ads import GOOGLE_ADS
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    CONSOLE,
    GA4,
    GOOGLE_ADS,
    WEBHOOK,
)
