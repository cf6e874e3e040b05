"""An open warehouse, shared by the worker that opened it, by its replays, and by queries."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.model.errors import WarehouseError
from gateway.warehouses.contract import Warehouse


class WarehouseHandle:
    """Holds the warehouse while it is open. `loading` lets one load run at a time."""

    def __init__(self, name: str, *, is_archive: bool = False) -> None:
        self.loading = asyncio.Lock()
        self.is_archive = is_archive
        """It cannot be asked anything."""
        self._name = name
        self._warehouse: Warehouse | None = None
        self._opened = asyncio.Event()

    @contextmanager
    def offering(self, warehouse: Warehouse) -> Iterator[None]:
        """The warehouse is open for as long as this context."""
        self._warehouse = warehouse
        self._opened.set()
        try:
            yield
        finally:
            self._warehouse = None
            self._opened.clear()

    async def opened(self) -> Warehouse:
        """The warehouse, as soon as it is open."""
        await self._opened.wait()
        return self.now()

    async def within(self, patience_s: float) -> Warehouse:
        """The warehouse, waiting so long for it to open. Raises WarehouseError when it does not."""
        try:
            async with asyncio.timeout(patience_s):
                return await self.opened()
        except TimeoutError:
            return self.now()

    def now(self) -> Warehouse:
        """The warehouse. Raises WarehouseError while it is not open."""
        if self._warehouse is None:
            raise WarehouseError(f'the warehouse "{self._name}" is not open', hint="see why with `headwater status`")
        return self._warehouse
