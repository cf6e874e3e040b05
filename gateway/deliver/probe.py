"""Tries a destination's connection for `headwater check`, without delivering anything."""

import asyncio
import io
from typing import Any

from gateway.config import DestinationSettings
from gateway.deliver.transport import UnreachableError, open_transport
from gateway.destinations.contract import Destination
from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import WarehouseKind

_NO_SUCH_ADDRESS = frozenset({404, 410})
_REFUSED = frozenset({401, 403})
_NO_LOG = "check"


async def probe_tool(kind: Destination[Any], settings: DestinationSettings) -> str | None:
    """The trouble in words; None where the destination answered, or has nothing to be tried."""
    if kind.probe is None:
        return None
    request = kind.probe(settings)
    try:
        async with open_transport(io.BytesIO()) as carry:
            status = (await carry(request, settings.timeout)).status
    except UnreachableError as error:
        return error.message
    if status in _REFUSED:
        return f"the credentials were refused (HTTP {status})"
    if status in _NO_SUCH_ADDRESS or 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        return f"the address is not the right one (HTTP {status}; redirects are not followed)"
    return f"it answers with an error (HTTP {status})" if status >= 500 else None  # noqa: PLR2004 - the class of server errors


async def probe_warehouse(kind: WarehouseKind[Any], settings: DestinationSettings, clock: Clock) -> str | None:
    """The trouble in words; None where the warehouse could be used."""
    try:
        if kind.probe is not None:
            await asyncio.to_thread(kind.probe, settings)
            return None
        async with kind.open(settings, clock) as warehouse:
            await warehouse.next_offset(_NO_LOG)
    except WarehouseError as error:
        return str(error)
    return None
