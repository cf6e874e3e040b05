"""Every kind of destination, one line each."""

from typing import Any

from gateway.destinations.contract import Destination

DESTINATIONS: tuple[Destination[Any], ...] = ()
