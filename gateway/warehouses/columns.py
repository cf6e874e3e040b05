"""The columns into which one object of the events is flattened: the context, or the properties of one event name.

They are learned from the events: the first value of a key makes its column and decides the type. A column never
changes its name, is never dropped, and never changes its type but from integer to number.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.warehouses.names import column_name
from gateway.warehouses.values import (
    ANYTHING,
    Capacity,
    ColumnType,
    Misfit,
    Path,
    bounded,
    fitted,
    is_longer,
    leaves,
    type_of,
    widened,
)

TYPE = "type"
TOO_MANY_COLUMNS = "too_many_columns"
NAME = "name"
WARNINGS = (TYPE, TOO_MANY_COLUMNS, NAME)
"""Why a value is in `_extra`: it does not fit its column's type, there is no room for its column, or its key has no
letter or digit, or makes the name of a column that the event has filled already."""


@dataclass(slots=True)
class Column:
    """One column. `path` is where the events keep its value; None until an event with it was seen."""

    name: str
    type: ColumnType | None
    """None: a type that somebody else gave it. Nothing is put there."""
    path: Path | None = None
    is_stored: bool = False
    """It is in the warehouse already, and may hold values."""
    is_settled: bool = False
    """The warehouse was to make it wider, and did not."""


class Columns:
    """The columns of one object, by name. `prefix` is put in front of their names."""

    def __init__(self, max_columns: int, prefix: str = "", capacity: Capacity = ANYTHING) -> None:
        self.capacity = capacity
        self.by_name: dict[str, Column] = {}
        self._by_path: dict[Path, Column] = {}
        self._max_columns = max_columns
        self._prefix = prefix
        self._taken: dict[Path, bool] = {}
        """Every path that a reader asks for, folded to lower case: whether it is a leaf."""

    def restore(self, column: Column) -> None:
        """A column as the warehouse has it."""
        known = self.by_name.setdefault(column.name, column)
        known.is_settled |= known.is_stored and known.type is not column.type
        known.type, known.is_stored = column.type, True

    def learn(self, value: Mapping[str, Any]) -> list[Column]:
        """Make columns for what is new in an object; the columns that were made or widened."""
        changed = []
        for path, leaf in leaves(value):
            kind = type_of(leaf)
            column = None if kind is None else self._learn(path, kind)
            if column is not None:
                changed.append(column)
        return changed

    def has_place_for(self, value: Mapping[str, Any]) -> bool:
        """Whether every value of an object is where a reader of `spec` looks for it, and of its column's type.

        Says nothing about texts in a column of moments, which differ from event to event.
        """
        return all(self._has_place(path, leaf) for path, leaf in leaves(value))

    def split(self, value: Mapping[str, Any], warnings: Counter[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """An object as a reader of `spec` finds every value that has a column; and the values that have none.

        Both keep the nesting. The latter are counted in `warnings`.
        """
        fitting: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        filled: set[str] = set()
        for path, leaf in leaves(value):
            column = self._column_of(path)
            reason = self._place(column, leaf, fitting, filled)
            if reason is not None and leaf is not None:
                put(extra, path, leaf)
                warnings[self._reason_without_column(path) if column is None else reason] += 1
        return fitting, extra

    def readable(self) -> Iterator[tuple[Column, Path]]:
        """The columns that a reader can fill, each with its path."""
        for column in self.by_name.values():
            if column.path is not None and column.type is not None:
                yield column, column.path

    def _learn(self, path: Path, kind: ColumnType) -> Column | None:
        column = self._column_of(path)
        if column is None:
            return self._make(path, kind)
        if column.path is None:
            self._reach(column, path)
        wanted = self._wider(column, kind)
        if wanted is column.type:
            return None
        column.type = wanted
        return column

    def _wider(self, column: Column, kind: ColumnType) -> ColumnType | None:
        if column.type is not None and not column.is_stored:
            return widened(column.type, kind)
        may_widen = self.capacity.can_widen and not column.is_settled
        if may_widen and column.type is ColumnType.INTEGER and kind is ColumnType.NUMBER:
            return kind
        return column.type

    def _make(self, path: Path, kind: ColumnType) -> Column | None:
        name = column_name(path, self._prefix)
        if not name or len(self.by_name) >= self._max_columns:
            return None
        column = Column(name, kind)
        self.by_name[name] = column
        self._reach(column, path)
        return column

    def _reach(self, column: Column, path: Path) -> None:
        """Decide where the column's value is kept: where the event has it, or, when two cannot both be read, aside."""
        for candidate in (path, (column.name,)):
            if self._is_free(candidate):
                column.path = candidate
                self._by_path[candidate] = column
                folded = tuple(key.lower() for key in candidate)
                self._taken |= {folded[:length]: False for length in range(1, len(folded))} | {folded: True}
                return

    def _is_free(self, path: Path) -> bool:
        """Readers tell keys apart by their letters alone, and a key holds either a value or an object."""
        folded = tuple(key.lower() for key in path)
        if "" in path or folded in self._taken:
            return False
        return all(self._is_same_object(path[:length]) for length in range(1, len(path)))

    def _is_same_object(self, path: Path) -> bool:
        folded = tuple(key.lower() for key in path)
        if folded not in self._taken:
            return True
        spelled_alike = any(known[: len(path)] == path for known in self._by_path)
        return not self._taken[folded] and spelled_alike

    def _column_of(self, path: Path) -> Column | None:
        return self._by_path.get(path) or self.by_name.get(column_name(path, self._prefix))

    def _has_place(self, path: Path, leaf: Any) -> bool:
        if leaf is None:
            return True
        column = self._by_path.get(path)
        if column is None:
            return False
        if column.type is ColumnType.MOMENT and isinstance(leaf, str):
            return True
        try:
            fitted(leaf, column.type)
        except Misfit:
            return False
        return True

    def _place(self, column: Column | None, leaf: Any, fitting: dict[str, Any], filled: set[str]) -> str | None:
        """Put the value where its column is read; the reason when it cannot be."""
        if leaf is None:
            return None
        if column is None or column.path is None or column.name in filled:
            return NAME
        try:
            put(fitting, column.path, self._fitted(leaf, column.type))
        except Misfit:
            return TYPE
        filled.add(column.name)
        return None

    def _fitted(self, leaf: Any, kind: ColumnType | None) -> Any:
        value = fitted(leaf, kind, self.capacity.era)
        if kind is ColumnType.TEXT and is_longer(value, self.capacity.longest_text):
            raise Misfit
        return bounded(value, self.capacity.longest_text) if kind is ColumnType.JSON else value

    def _reason_without_column(self, path: Path) -> str:
        return TOO_MANY_COLUMNS if column_name(path, self._prefix) else NAME


def put(target: dict[str, Any], path: Path, value: Any) -> None:
    """Set a value in nested objects, which are made on the way."""
    for key in path[:-1]:
        target = target.setdefault(key, {})
    target[path[-1]] = value
