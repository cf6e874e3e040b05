"""What the contract's tests need to know of a kind of warehouse, as data: one file beside this for each kind."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.model.clock import Clock, SystemClock
from gateway.warehouses import Warehouse, WarehouseKind
from gateway.warehouses.values import WHOLE_ERA, ColumnType, Era
from tests.integration.warehouses.support.store import Store

Settings = Mapping[str, Any]
"""A warehouse's table of a configuration file, without anything that JSON has not: another process can be given it."""

NewSettings = Callable[[Path], Settings]
"""The settings for an empty warehouse that nobody has opened yet; the folder is the test's own."""


@dataclass(frozen=True)
class PlaceKind:
    """One kind of warehouse, and what runs it."""

    kind: WarehouseKind[Any]
    serve: Callable[[], AbstractContextManager[NewSettings]]
    """Starts what the warehouses of a whole session need; stops it at the end."""
    columns: str
    """SQL for the names and types of a table's columns, of `{table}`."""
    types: Mapping[str, ColumnType]
    """What that SQL says of each type."""
    quoted: Callable[[str], str]
    """A name in SQL, such that it may be any word."""
    is_transactional: bool = True
    """A load that fails leaves nothing; elsewhere the same load goes on where it was."""
    serves_many: bool = True
    """Several gateways may load into it: it is held to the tests in modules of that name."""
    is_slow: bool = False
    """Its server is an emulator that takes long: most tests of it are in `make soak` alone."""
    can_widen: bool = True
    """A column of integers becomes one of numbers."""
    era: Era = WHOLE_ERA
    """The moments that a column holds."""
    examples: int = 40
    """How many examples a property test is worth: fewer where a load takes long."""
    kills: int = 50
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Tests, by the names of their functions, that cannot be held here, and why."""

    @property
    def name(self) -> str:
        """As `type` in a configuration."""
        return str(self.kind.settings.model_fields["type"].default)


@dataclass(frozen=True)
class Place:
    """One empty warehouse, made for one test."""

    kind: PlaceKind
    settings: Settings

    def open(self, clock: Clock | None = None, **settings: Any) -> AbstractAsyncContextManager[Warehouse]:
        """The warehouse, the same each time; several may be open at once, as several gateways have it."""
        validated = self.kind.kind.settings.model_validate({**self.settings, **settings})
        return self.kind.kind.open(validated, clock or SystemClock())

    async def types(self, store: Store, table: str) -> dict[str, ColumnType]:
        """The columns of a table in lower case, each with its type."""
        rows = await store.rows(self.kind.columns.format(table=table))
        return {name.lower(): self.kind.types[kind] for name, kind in rows}
