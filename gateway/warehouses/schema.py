"""The tables of a warehouse as the loader knows them, and how events make them grow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.warehouses.columns import Column, Columns
from gateway.warehouses.names import TABLES_OF_TYPE, table_name
from gateway.warehouses.repair import body_of
from gateway.warehouses.values import WHOLE_ERA, Era

MAX_REMEMBERED_EVENTS = 10_000

FROM_THE_CONNECTION = {"ip": "192.0.2.1", "userAgent": "Mozilla/5.0"}
"""Texts of the context that the gateway knows even where the client does not tell them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far events may widen the schema. The write key is public, so these are security bounds."""

    max_event_tables: int
    max_columns: int
    """Of each table, besides the standard and the context columns."""
    max_context_columns: int
    era: Era = WHOLE_ERA
    """Moments that columns hold; others go to `_extra`."""


@dataclass(slots=True)
class Table:
    """One table. `kind` is "tracks", "pages" and so on, or "event"."""

    name: str
    kind: str
    columns: Columns
    is_stored: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """What all events of the same type, name and JSON structure have in common."""

    tables: tuple[str, ...]
    """Names of the tables that get a row; for a track its own table is the last, when it has one."""
    fits: bool
    """Every value has a column of its type."""
    lacks_table: bool = False
    """The track has no table of its own, because there is no room for one more."""


@dataclass(slots=True)
class Growth:
    """What has to be added to the warehouse before the rows."""

    tables: dict[str, Table] = field(default_factory=dict)
    columns: dict[tuple[str, str], Column] = field(default_factory=dict)
    """By table and name; the name of the table is empty for the context's, which every table has."""


class Schema:
    """Every table and column. It grows in memory first; the loader writes `growth` in the transaction of the rows."""

    def __init__(self, limits: Limits) -> None:
        self.context = Columns(limits.max_context_columns, "context_", limits.era)
        self.context.learn(FROM_THE_CONNECTION)
        self.tables: dict[str, Table] = {}
        self.growth = Growth()
        self._limits = limits
        self._foreign: set[str] = set()
        self._table_of_event: dict[str, str] = {}
        self._event_tables = 0
        for name in TABLES_OF_TYPE.values():
            self._add(name, name)

    def restore(self, name: str, columns: Mapping[str, Column]) -> None:
        """A table of ours that the warehouse has: its columns besides the standard and the context ones."""
        table = self.tables.get(name) or self._add(name, "event")
        table.is_stored = True
        self.growth.tables.pop(name, None)
        for column in columns.values():
            table.columns.restore(column)

    def restore_context(self, column: Column) -> None:
        """A context column that every table has."""
        self.context.restore(column)

    def reserve(self, name: str) -> None:
        """The name of a table or view of somebody else's."""
        self._foreign.add(name.lower())

    def learn(self, event: Mapping[str, Any]) -> None:
        """Make tables and columns for what is new in an event."""
        body_table = self.body_table(event)
        for column in self.context.learn(event.get("context") or {}):
            self.growth.columns["", column.name] = column
        if body_table is not None:
            for column in body_table.columns.learn(body_of(event)[1]):
                self.growth.columns[body_table.name, column.name] = column

    def shape(self, event: Mapping[str, Any]) -> Shape:
        """Where an event goes, once it has been learned."""
        base, own = TABLES_OF_TYPE[event["type"]], self.body_table(event)
        fits = self.context.has_place_for(event.get("context") or {})
        if own is not None:
            fits = fits and own.columns.has_place_for(body_of(event)[1])
        names = (base,) if own is None or own.name == base else (base, own.name)
        return Shape(names, fits, lacks_table=own is None and bool(table_name(event.get("event") or "")))

    def body_table(self, event: Mapping[str, Any]) -> Table | None:
        """The table with columns for the event's own fields; None for a track when there is no room for it."""
        if event["type"] != "track":
            return self.tables[TABLES_OF_TYPE[event["type"]]]
        name = self.table_of_event(event.get("event") or "")
        table = self.tables.get(name)
        if table is not None or not name or self._event_tables >= self._limits.max_event_tables:
            return table
        return self._add(name, "event")

    def table_of_event(self, event: str) -> str:
        """The name for a track's own table, whether there is room for it or not; empty when it cannot have one."""
        name = self._table_of_event.get(event)
        if name is None:
            name = table_name(event)
            while name and name in self._foreign:
                name = f"_{name}"
            if len(self._table_of_event) < MAX_REMEMBERED_EVENTS:
                self._table_of_event[event] = name
        return name

    @property
    def has_grown(self) -> bool:
        """Whether there is growth that the warehouse does not have yet."""
        return bool(self.growth.tables or self.growth.columns)

    def settle(self) -> None:
        """The growth is in the warehouse."""
        for table in self.growth.tables.values():
            table.is_stored = True
        for column in self.growth.columns.values():
            column.is_stored = True
        self.growth = Growth()

    def _add(self, name: str, kind: str) -> Table:
        table = Table(name, kind, Columns(self._limits.max_columns, era=self._limits.era))
        self.tables[name] = table
        self.growth.tables[name] = table
        self._event_tables += kind == "event"
        return table
