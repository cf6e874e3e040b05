"""What a warehouse provides to deliver and to `headwater sql`."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from gateway.config import DestinationSettings
from gateway.model.clock import Clock
from gateway.model.envelope import Packed

S = TypeVar("S", bound=DestinationSettings)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load did. `rows` and `duplicates` add up to the events handed in."""

    rows: int
    duplicates: int
    warnings: Mapping[str, int] = field(default_factory=dict)
    """Values that went to `_extra`, counted by reason (a closed list)."""
    identity: Mapping[str, int] = field(default_factory=dict)
    """What became of the identity graph: refused links by reason, and its history by kind (closed lists)."""


@dataclass(frozen=True, slots=True)
class Table:
    """The answer to a query."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    truncated: bool
    """There were more rows than asked for."""


class Warehouse(Protocol):
    """An open warehouse. One load runs at a time; queries may run beside it."""

    async def next_offset(self, log_id: str) -> int | None:
        """The first offset of the queue `log_id` that is not stored yet; None before its first load.

        Raises WarehouseError when the warehouse cannot be reached.
        """
        ...

    async def stage(self, batches: Sequence[Packed]) -> None:
        """What `load` will be given next: do ahead what can be done beside the load that runs.

        `load` may be called with the same batches before this has returned. May raise anything; the load is run all the
        same, and will meet it again.
        """
        ...

    async def load(self, batches: Sequence[Packed], log_id: str, next_offset: int) -> Loaded:
        """Store the events and `next_offset` in one transaction. An event whose id is stored already is a duplicate.

        Raises WarehouseError when the same load may succeed later, WarehouseRowError when it never will.
        """
        ...

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """Run one read-only statement. Raises WarehouseError with the engine's message."""
        ...


@dataclass(frozen=True, slots=True)
class WarehouseKind(Generic[S]):
    """A kind of warehouse. `settings.type` is its name in the configuration."""

    settings: type[S]
    open: Callable[[S, Clock], AbstractAsyncContextManager[Warehouse]]
