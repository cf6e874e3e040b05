"""The tracks' own tables, one for each name, filled from `tracks`.

To append to a table of 50 columns takes about 20 ms, be it one row or thousands. With 60 names of events in a load that
would be most of the load. So each row of `tracks` has the number of its load, and where loads follow each other a table
waits until many of its rows are there; where nothing else is to be done it is filled at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import duckdb

from gateway.model.clock import Clock
from gateway.model.errors import WarehouseError
from gateway.warehouses.duckdb.catalogue import FILLED, write_growth
from gateway.warehouses.duckdb.statements import fill_from_tracks
from gateway.warehouses.names import STANDARD_COLUMNS
from gateway.warehouses.schema import Schema, Table
from gateway.warehouses.values import decode

ENOUGH_ROWS = 10_000
LONGEST_WAIT_S = 30.0
"""Where loads follow each other, a table waits for so many rows, or for so long."""
COLUMNS_AT_ONCE = 1_000
ROWS_AT_ONCE = 20_000
"""Bounds of one transaction over several tables: columns and rows take memory until the commit."""

_WAITING_ROWS = f"""
    select event, any_value(event_text), min(_load), max(_load), count(*), any_value(properties)
    from tracks left join {FILLED} using (event)
    where event is not null and _load > ? and _load > coalesce(last_load, 0)
    group by event, json_structure(properties) order by min(_load)"""


@dataclass(slots=True)
class _Waiting:
    """Rows of `tracks` that an event's own table lacks."""

    first_load: int
    rows: int
    since_s: float


class EventTables:
    """Which tables lack rows. What is in memory follows the file: it changes after a commit."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_load = 0
        self._filled: dict[str, int] = {}
        self._waiting: dict[str, _Waiting] = {}

    def restore(self, connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
        """Read the file: the numbers of its loads, and what the process before did not come to fill.

        The file does not say where the columns' values are in the properties: a row of each structure shows it.
        """
        self._filled = dict(connection.execute(f"select event, last_load from {FILLED}").fetchall())
        self._waiting = {}
        self._last_load = max(self._filled.values(), default=0)
        if schema.tables["tracks"].is_stored:
            rows_of_structure = connection.execute(_WAITING_ROWS, [self._filled.get("", 0)]).fetchall()
            for name, event, first_load, last_load, rows, properties in rows_of_structure:
                self._last_load = max(self._last_load, last_load)
                sample = {"type": "track", "event": event, "properties": decode((properties or "{}").encode())}
                schema.learn(sample)
                if name in schema.tables:
                    waiting = self._waiting.setdefault(name, _Waiting(first_load, 0, self._clock.monotonic_s()))
                    waiting.rows += rows

    @property
    def next_load(self) -> int:
        """The number for the rows of a load that is about to be stored."""
        return self._last_load + 1

    def stored(self, rows: Mapping[str, int]) -> None:
        """The load `next_load` was committed, with about so many rows for these tables."""
        self._last_load += 1
        for name, count in rows.items():
            if count:
                waiting = self._waiting.setdefault(name, _Waiting(self._last_load, 0, self._clock.monotonic_s()))
                waiting.rows += count

    def fill(self, connection: duckdb.DuckDBPyConnection, schema: Schema, *, is_busy: bool) -> None:
        """Fill all tables, or where more waits to be loaded those that are due, as many as one transaction may.

        Raises WarehouseError.
        """
        due = [name for name in self._waiting if self._is_due(name, is_busy)]
        for tables in islice(self._at_once(schema, due), 1 if is_busy else None):
            try:
                self._fill(connection, schema, tables)
            except (duckdb.DataError, duckdb.OutOfMemoryException) as error:
                names = ", ".join(table.name for table in tables)
                raise WarehouseError(f"cannot fill {names} from tracks: {error}", hint="raise memory_limit") from error

    def _is_due(self, name: str, is_busy: bool) -> bool:
        waiting = self._waiting[name]
        is_late = self._clock.monotonic_s() - waiting.since_s >= LONGEST_WAIT_S
        return not is_busy or is_late or waiting.rows >= ENOUGH_ROWS

    def _fill(self, connection: duckdb.DuckDBPyConnection, schema: Schema, tables: Sequence[Table]) -> None:
        names = {table.name for table in tables}
        still_waiting = {name: waiting for name, waiting in self._waiting.items() if name not in names}
        all_filled = min((waiting.first_load for waiting in still_waiting.values()), default=self._last_load + 1) - 1
        filled = self._filled | dict.fromkeys(names, self._last_load)
        filled = {name: load for name, load in filled.items() if load > all_filled} | {"": all_filled}
        connection.begin()
        write_growth(connection, schema)
        for table in tables:
            loads = [self._waiting[table.name].first_load, self._last_load]
            connection.execute(fill_from_tracks(table, schema.context), loads)
        connection.execute(f"delete from {FILLED}")
        connection.executemany(f"insert into {FILLED} values (?, ?)", [list(each) for each in filled.items()])
        connection.commit()
        schema.settle()
        self._filled, self._waiting = filled, still_waiting

    def _at_once(self, schema: Schema, names: Sequence[str]) -> Iterator[Sequence[Table]]:
        """The tables, as many together as one transaction may fill."""
        shared_columns = len(STANDARD_COLUMNS) + len(schema.context.by_name)
        together: list[Table] = []
        columns = rows = 0
        for name in names:
            table = schema.tables[name]
            columns += shared_columns + len(table.columns.by_name)
            rows += self._waiting[name].rows
            if together and (columns > COLUMNS_AT_ONCE or rows > ROWS_AT_ONCE):
                yield together
                together, columns, rows = [], shared_columns + len(table.columns.by_name), self._waiting[name].rows
            together.append(table)
        if together:
            yield together
