"""Where the rows of events go. Ids, cursors, schema and graph are in a DuckDB file; the rows are there or elsewhere."""

from collections.abc import Mapping
from typing import Any, Protocol

import duckdb

from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import FileIdentity
from gateway.warehouses.schema import Limits, Schema, Shape
from gateway.warehouses.shaping.staging import Staging


class Rows(Protocol):
    """Loads and changes run one at a time; `connection` is to the file. What is in memory changes after a commit."""

    @property
    def can_widen(self) -> bool:
        """Whether a column of integers can become one of numbers."""
        ...

    @property
    def publishes_graph(self) -> bool:
        """Whether what waits to be judged is missed by somebody when nobody runs."""
        ...

    def restore(self, connection: duckdb.DuckDBPyConnection, limits: Limits) -> Schema:
        """The schema as it is stored; what is in memory is read anew. Makes the tables that it needs for itself."""
        ...

    def grow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, identity: FileIdentity) -> None:
        """In a transaction: the schema's growth, and the views that show it."""
        ...

    def append(self, staging: Staging, schema: Schema, tables: "Receiving", log_id: str) -> None:
        """In a transaction: the staged events, as rows of these tables."""
        ...

    def before_commit(self, connection: duckdb.DuckDBPyConnection, *, is_busy: bool) -> None:
        """A load is about to be stored. `is_busy`: there is more to load at once."""
        ...

    def after_commit(self, staging: Staging, rows: int) -> None:
        """The load is stored, so many rows."""
        ...

    def follow(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:
        """What comes after a load, in transactions of its own. What fails is met again by the next call."""
        ...

    @property
    def is_due(self) -> bool:
        """Whether `follow` should come now, without a load."""
        ...

    def finish(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Do what may wait: the owner has changed the graph, or this is the end."""
        ...

    def require_answers(self) -> None:
        """Raises WarehouseError where the events cannot be asked about."""
        ...

    def export(self, connection: duckdb.DuckDBPyConnection, schema: Schema, person: Known) -> dict[str, Any]:
        """All that is held of a person."""
        ...

    def remove(
        self, connection: duckdb.DuckDBPyConnection, schema: Schema, person: Known, persons: set[str]
    ) -> dict[str, int]:
        """In a transaction: remove the person's rows; `persons` is where their identifiers stand. How many by table."""
        ...


class Receiving:
    """Which tables get rows of a load."""

    def __init__(self, present: Mapping[int, Shape], repaired: set[str]) -> None:
        self.of_types = sorted({shape.tables[0] for shape in present.values()} | repaired)
        """Those of the types, and of names only where events were read anew: the others can be filled from `tracks`."""
        self.all = sorted({name for shape in present.values() for name in shape.tables} | repaired)


def stored_tables(schema: Schema) -> list[str]:
    """Every table with events."""
    return [table.name for table in schema.tables.values() if table.is_stored]
