"""A connection to a server."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from gateway.warehouses.contract import Table

Row = tuple[Any, ...]
Stored = dict[str, dict[str, str]]
"""Tables and views of the schema, each with its columns in their order, and their types as the server tells them."""


class Groundwork(NamedTuple):
    """Statements for what is lacking and comes before any table."""

    schema: Sequence[str] = ()
    locks: Sequence[str] = ()
    """For what gateways lock, within the schema."""

    @property
    def statements(self) -> list[str]:
        """All of them."""
        return [*self.schema, *self.locks]


class Session(Protocol):
    """Used by one thread at a time; connects when it has to, anew after every failure.

    Every method raises WarehouseError when the same may succeed later, WarehouseRowError when the rows are at fault.
    """

    def fetch(self, sql: str) -> list[Row]:
        """The answer to a query."""
        ...

    def execute(self, sql: str) -> int:
        """Run a statement; how many rows it changed, as far as the server tells.

        Within a transaction, `fetch` may not show yet what was changed.
        """
        ...

    def remove(self, sql: str) -> int:
        """Run a statement that removes events; how many.

        It may be done before the transaction ends, since to forget somebody once more does the rest.
        """
        ...

    def append(self, table: str, columns: Sequence[str], rows: Any, token: str = "") -> None:
        """Store the rows of a parcel: its content.

        Where the server has no transactions, what has the same token is stored once.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, where the server can; one after the other, where the session nests them."""
        ...

    def groundwork(self) -> Groundwork:
        """What is lacking. Makes nothing."""
        ...

    @property
    def entry(self) -> str:
        """The statement after which names without a schema are ours, for whoever runs statements elsewhere."""
        ...

    def growing(self) -> AbstractContextManager[None]:
        """The only one that changes the schema: another gateway waits, where the server has a lock for that.

        It begins with the groundwork.
        """
        ...

    def judge_alone(self) -> None:
        """Until the transaction ends, no other gateway changes the graph: it waits, or one of the two fails."""
        ...

    def stored(self) -> Stored:
        """What there is; nothing where there is no schema."""
        ...

    def check_rights(self) -> None:
        """Raises WarehouseError where loads would lack a right. Makes nothing."""
        ...

    def claim(self, hashes: Any) -> set[int]:
        """Positions of the ids that are stored already. `hashes` are a parcel's, of `position`, `high`, `low`.

        Where the server is transactional, the others are stored by it; otherwise `append` does it, after the rows.
        """
        ...

    def ask(self, sql: str, max_rows: int, timeout_s: float) -> Table:
        """The owner's question, which changes nothing. Raises WarehouseError with the server's message."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...
