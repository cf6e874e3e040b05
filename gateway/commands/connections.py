"""Tries every destination of a configuration, for `headwater check`. Imports every room: slow to load."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateway.app import read_settings
from gateway.config import DestinationSettings
from gateway.deliver.probe import probe_tool, probe_warehouse
from gateway.destinations import DESTINATIONS
from gateway.model.clock import SystemClock
from gateway.warehouses.registry import WAREHOUSES


async def troubles_of(path: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What keeps each enabled destination of the file from being reached; empty where it answers.

    Raises ConfigError with every fault of the file.
    """
    settings = read_settings(path, environ)
    destinations = {name: each for name, each in settings.destinations.items() if each.enabled}
    troubles = await asyncio.gather(*map(_trouble, destinations.values()))
    return dict(zip(destinations, troubles, strict=True))


async def _trouble(settings: DestinationSettings) -> str:
    for warehouse in WAREHOUSES:
        if isinstance(settings, warehouse.settings):
            return await probe_warehouse(warehouse, settings, SystemClock()) or ""
    tool = next(kind for kind in DESTINATIONS if isinstance(settings, kind.settings))
    return await probe_tool(tool, settings) or ""
