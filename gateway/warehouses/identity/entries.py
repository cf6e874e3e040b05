"""The rows of the graph's tables, in whatever warehouse they are."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

Row = tuple[Any, ...]


class Entries(Protocol):
    """What the rules need of a warehouse, within the transaction of a load.

    Texts, whole numbers, booleans and None are themselves; a moment is in microseconds since the epoch.
    """

    def find(self, table: str, column: str, hashes: Collection[int], columns: Sequence[str]) -> list[Row]:
        """The rows with one of these hashes in `column`."""
        ...

    def read(self, table: str, columns: Sequence[str]) -> list[Row]:
        """All rows."""
        ...

    def count(self, table: str) -> int:
        """How many rows there are."""
        ...

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]]) -> None:
        """New rows: every column of the table, all of the same length."""
        ...

    def delete(self, table: str, column: str, hashes: Collection[int]) -> None:
        """Remove the rows with one of these hashes in `column`."""
        ...

    def clear(self, table: str) -> None:
        """Remove all rows."""
        ...

    def lock(self) -> None:
        """Until the transaction ends, no other gateway adds to what waits, or changes the graph."""
        ...

    def expect_changes(self) -> None:
        """Many rows are about to be replaced. Locks, too."""
        ...
