"""What a warehouse provides to deliver and to `headwater sql`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from gateway.config import DestinationSettings, WarehouseSettings
from gateway.model.clock import Clock
from gateway.model.envelope import Packed
from gateway.model.person import Known, Tenure

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
class Handed:
    """What a warehouse was handed of one log."""

    next_offset: int
    """Up to where."""
    events: int | None
    """Rows and duplicates; None where an earlier version began without counting them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What a warehouse holds, as it counts itself."""

    logs: Mapping[str, Handed]
    """By the log's id."""
    ids: int
    """Events that were ever stored."""
    rows: Mapping[str, int] | None
    """By table, of those of the six calls; None where they are out of reach."""
    forgotten: int
    """Rows of those tables that went with their persons."""


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

    async def catch_up(self) -> None:
        """Do what loads have left for later, if it is time: for when no load comes.

        Raises WarehouseError or WarehouseRowError when that is impossible now.
        """
        ...

    async def counts(self) -> Counts:
        """Count everything. No load runs meanwhile. Raises WarehouseError where nothing can be counted."""
        ...

    async def query(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """Run one read-only statement. Raises WarehouseError with the engine's message."""
        ...

    async def find_person(self, identifier: str) -> Known | None:
        """The person with this identifier, of whatever type, or with this id; None where nothing is known of it."""
        ...

    async def describe_person(self, identifier: str, max_events: int) -> dict[str, Any] | None:
        """What docs/identity.md says of `headwater person`; None where nothing is known of the identifier."""
        ...

    async def export_person(self, person_id: str) -> dict[str, Any]:
        """All that is held of a person: the rows of every table, and the graph's entries."""
        ...

    async def owners(self, anonymous_ids: Collection[str]) -> Mapping[str, Sequence[Tenure]]:
        """Whose these devices are, and when; those that nobody has claimed are not in the answer."""
        ...

    async def unmerge(self, left: str, right: str) -> tuple[str, str]:
        """Take back the link between two identifiers; the persons that they are now.

        Raises WarehouseError when no event links them directly.
        """
        ...

    async def rebuild_identity(self) -> dict[str, Any]:
        """Compute the graph anew: how many `edges` there are, and `differences` to what was, with `examples`."""
        ...

    async def forget(self, known: Known) -> dict[str, int]:
        """Remove a person's rows and the person from the graph; rows removed by table. Once more changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class WarehouseKind(Generic[S]):
    """A kind of warehouse. `settings.type` is its name in the configuration."""

    settings: type[S]
    open: Callable[[S, Clock], AbstractAsyncContextManager[Warehouse]]
    probe: Callable[[S], None] | None = None
    """For `headwater check`: raises WarehouseError where it could not be opened, makes nothing, may block. Without it,
    opening makes nothing either, and is what is tried."""

    plan: Callable[[S], list[str]] | None = None
    """The statements that opening it would run, in their order; runs none, may block. Raises WarehouseError. None where
    opening makes files, which need no statements."""

    @property
    def is_archive(self) -> bool:
        """Whether it keeps events as they were accepted, and cannot be asked anything."""
        return issubclass(self.settings, WarehouseSettings) and self.settings.is_archive
