"""Parquet files as a kind of warehouse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.model.clock import Clock
from gateway.warehouses.contract import Warehouse, WarehouseKind
from gateway.warehouses.duckdb.engine import Engine
from gateway.warehouses.duckdb.probe import probe_file
from gateway.warehouses.duckdb.warehouse import DuckDBWarehouse, opened
from gateway.warehouses.objects import Store, open_store, probe_place
from gateway.warehouses.parquet.outbox import Outbox
from gateway.warehouses.parquet.rows import ParquetRows
from gateway.warehouses.parquet.settings import ParquetSettings


def parquet_warehouse(settings: ParquetSettings, clock: Clock, store: Store) -> DuckDBWarehouse:
    """Not open yet. Blocking. Raises WarehouseError when its folders cannot be made."""
    state = settings.state_path.absolute()
    outbox = Outbox(Path(f"{state}.outbox"), store)
    folders = [outbox.folder, *([Path(settings.path)] if settings.scheme == "file" else [])]
    return DuckDBWarehouse(
        settings, clock, Engine(state, settings, folders), ParquetRows(settings, clock, store, outbox)
    )


@asynccontextmanager
async def open_parquet(settings: ParquetSettings, clock: Clock) -> AsyncIterator[Warehouse]:
    """The warehouse for as long as the context. Raises WarehouseError when its place or its state cannot be used."""
    store = await asyncio.to_thread(open_store, settings)
    warehouse = await asyncio.to_thread(parquet_warehouse, settings, clock, store)
    async with opened(warehouse):
        yield warehouse


def probe(settings: ParquetSettings) -> None:
    """The place, and the state. Raises WarehouseError where loads could not use them."""
    probe_place(settings)
    probe_file(settings.state_path.absolute())


PARQUET = WarehouseKind(settings=ParquetSettings, open=open_parquet, probe=probe)
