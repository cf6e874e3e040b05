"""The tables of a warehouse, told or made without a daemon: for `headwater warehouse plan` and `init`."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gateway.config import DestinationSettings
from gateway.deliver.probe import probe_warehouse
from gateway.kinds import read_configuration
from gateway.model.clock import SystemClock
from gateway.model.errors import HeadwaterError, WarehouseError
from gateway.observe.logging import configure_logging
from gateway.warehouses.contract import WarehouseKind


class _Chosen(NamedTuple):
    kind: WarehouseKind[Any]
    settings: DestinationSettings


async def planned(path: Path, environ: Mapping[str, str], destination: str) -> list[str] | None:
    """The statements that `made` would run; None for a warehouse that needs none.

    Raises ConfigError with the faults of the file, and WarehouseError where the warehouse is out of reach, or lacks a
    right.
    """
    chosen = await _usable(path, environ, destination)
    return await _plan(chosen)


async def made(path: Path, environ: Mapping[str, str], destination: str) -> list[str] | None:
    """Make what is lacking, as the daemon would; the statements for it. What is there stays. Raises as `planned`."""
    chosen = await _usable(path, environ, destination)
    statements = await _plan(chosen)
    async with chosen.kind.open(chosen.settings, SystemClock()):
        return statements


async def _usable(path: Path, environ: Mapping[str, str], destination: str) -> _Chosen:
    """Once its rights are checked."""
    configuration = read_configuration(path, environ, destination)
    configure_logging(configuration.settings.log)  # elsewhere than where the answer goes
    settings = configuration.settings.destinations[destination]
    kind = configuration.kinds.table().warehouses.get(type(settings))
    if kind is None:
        raise HeadwaterError(f'"{destination}" is a destination of type {settings.type}, and no warehouse')
    if kind.is_archive:
        raise HeadwaterError(f'"{destination}" is an archive, which has no tables')
    if trouble := await probe_warehouse(kind, settings, SystemClock()):
        raise WarehouseError(trouble)
    return _Chosen(kind, settings)


async def _plan(chosen: _Chosen) -> list[str] | None:
    return None if chosen.kind.plan is None else await asyncio.to_thread(chosen.kind.plan, chosen.settings)
