"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.console import CONSOLE
from gateway.destinations.contract import Destination
from gateway.destinations.hubspot import HUBSPOT
from gateway.destinations.intercom import INTERCOM
from gateway.destinations.klaviyo import KLAVIYO
from gateway.destinations.webhook import WEBHOOK

DESTINATIONS: tuple[Destination[Any], ...] = (
    CONSOLE,
    HUBSPOT,
    INTERCOM,
    KLAVIYO,
    WEBHOOK,
)
