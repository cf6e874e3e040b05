"""A warehouse with a log in front of it, and events as the queue hands them over."""

from array import array
from collections.abc import Awaitable, Callable
from itertools import accumulate, count
from pathlib import Path
from typing import Any

import orjson

from gateway.model.envelope import Batch, Envelope
from gateway.warehouses import Loaded, Warehouse

RECEIVED_AT_MS = 1764046800000
"""2025-11-25T05:00:00Z"""

ENVELOPE = Envelope("web", RECEIVED_AT_MS)

Event = dict[str, Any]


def batch_of(events: list[Event | bytes], envelope: Envelope, first_offset: int = 0) -> Batch:
    raws = [event if isinstance(event, bytes) else orjson.dumps(event) for event in events]
    bounds = array("I", [0, *accumulate(map(len, raws))])
    return Batch(first_offset, b"".join(raws), bounds, [envelope], array("I", [0] * len(raws)))


class Store:
    """Loads events in the order in which they are given, and asks. `path` is the file of a DuckDB warehouse."""

    def __init__(self, warehouse: Warehouse, path: Path = Path()) -> None:
        self.warehouse = warehouse
        self.path = path
        self.log_id = "log"
        self.offset = 0
        self._ids = count()

    async def load(self, *events: Event | bytes, envelope: Envelope = ENVELOPE) -> Loaded:
        return await self.load_batches(self.batches(*events, envelope=envelope))

    def batches(self, *events: Event | bytes, envelope: Envelope = ENVELOPE) -> list[Batch]:
        """The events as they follow in the log."""
        batch = batch_of(list(events), envelope, self.offset)
        self.offset = batch.next_offset
        return [batch]

    async def load_batches(self, batches: list[Batch]) -> Loaded:
        return await self.warehouse.load(batches, self.log_id, batches[-1].next_offset)

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in (await self.warehouse.query(sql, 1000, 30)).rows]

    async def one(self, sql: str) -> Any:
        [(value,)] = await self.rows(sql)
        return value

    def event(self, type_: str = "track", **fields: Any) -> Event:
        event: Event = {"type": type_, "messageId": f"m{next(self._ids)}", "anonymousId": "a1"}
        if type_ == "track":
            event["event"] = "Order Completed"
        return event | fields


OpenStore = Callable[..., Awaitable[Store]]
