"""The events of one load, staged in DuckDB's memory until their rows are stored somewhere."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate

import duckdb

from gateway.model.envelope import Batch, Packed, Stored
from gateway.warehouses.repair import Repaired, repair
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.shaping import arrivals, reading
from gateway.warehouses.values import decode

TOO_MANY_TABLES = "too_many_tables"
MAX_REMEMBERED_SHAPES = 50_000

_HASHES = """
    create or replace temp table hashes as
    select position, (hash >> 64)::ubigint as high, (hash & 18446744073709551615)::ubigint as low
    from (select position, md5_number(source || ' ' || id)::uhugeint as hash from temp.staged)"""
_REPEATED = "select position from temp.hashes qualify row_number() over (partition by high, low order by position) > 1"


class Staging:
    """`temp.staged` on a connection of its own, one row for each event; `temp.hashes` of their ids."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, batches: Sequence[Packed]) -> None:
        self.connection = connection
        self.batches = batches
        self.warnings: Counter[str] = Counter()
        """Values that go to `_extra`, and tracks without a table of their own."""
        self.event_rows: Counter[str] = Counter()
        """About how many rows each event's own table gets."""
        self.texts: dict[str, list[str]] = {}
        """See Texts; empty until `name_events`."""
        self.repeated: set[int] = set()
        """Positions of events whose id an earlier one of this load has."""
        self._staged_by = ""
        self._rows_of_shape: dict[int, int] = {}
        self._first_positions = [0, *accumulate(map(len, batches))]
        self._first_envelopes: Sequence[int] = []
        self._unpacked: tuple[int, Batch] | None = None

    @property
    def arrived(self) -> int:
        """How many events came, duplicates too."""
        return self._first_positions[-1]

    def stage(self, statement: str) -> None:
        """Read the events by a statement of `reading.stage`, unless that is how they were read already; once also the
        ids, into `temp.hashes` and `repeated`."""
        if statement == self._staged_by:
            return
        arrived = arrivals.Arrived.of(self.batches)
        self._first_envelopes = arrived.first_envelopes
        self.connection.register("arrived", arrived)
        self.connection.register("envelopes", arrivals.envelopes_of(arrived.envelopes))
        self.connection.execute(statement)
        if not self._staged_by:
            self._hash_ids()
        self._staged_by = statement

    def learn(self, schema: Schema, shapes: dict[int, Shape]) -> dict[int, Shape]:
        """The shapes of the staged events, after the schema has grown by what is new in them.

        Where a column of the context was known and its place in the events was not, they have to be staged again.
        """
        samples = self.connection.execute(
            "select shape, min(position), count(*) from temp.staged group by shape order by 2"
        ).fetchall()
        if len(shapes) + len(samples) > MAX_REMEMBERED_SHAPES:
            shapes.clear()
        new = {shape: decode(self._stored(position).raw) for shape, position, _ in samples if shape not in shapes}
        for event in new.values():
            schema.learn(event)
        for shape, event in new.items():
            shapes[shape] = schema.shape(event)
        self._rows_of_shape = {shape: rows for shape, _, rows in samples}
        return {shape: shapes[shape] for shape in self._rows_of_shape}

    def tally(self, present: Mapping[int, Shape]) -> None:
        """Count, once it is clear where the events go."""
        for shape, known in present.items():
            rows = self._rows_of_shape[shape]
            self.event_rows.update(dict.fromkeys(known.tables[1:], rows))
            self.warnings[TOO_MANY_TABLES] += rows if known.lacks_table else 0

    def forget(self, positions: Collection[int]) -> None:
        """These events are not stored."""
        self._delete("staged", positions)
        self._delete("hashes", positions)

    def name_events(self, schema: Schema) -> None:
        """Which table each name of a track belongs to: `texts`, and the view `event_names`."""
        rows = self.connection.execute(
            "select distinct event_text from temp.staged where type = 'track' and event_text is not null"
        ).fetchall()
        names = [(text, table) for (text,) in rows if (table := schema.table_of_event(text))]
        self.texts = {}
        for text, table in names:
            self.texts.setdefault(table, []).append(text)
        self.connection.register("event_names", arrivals.names_of(names))

    def repair(self, schema: Schema, shapes: Mapping[int, Shape]) -> set[str]:
        """Stage what the SQL would misread once more, as Python reads it; the tables with columns for their bodies."""
        odd = self._odd(schema, shapes)
        tables: set[str] = set()
        if not odd:
            return tables
        positions = sorted(odd)
        repaired: list[Repaired] = []
        envelopes: list[int] = []
        for position in positions:
            stored = self._stored(position)
            table = schema.body_table(decode(stored.raw))
            repaired.append(repair(stored, schema.context, table.columns if table else None, self.warnings))
            envelopes.append(self._envelope_index(position))
            if table:
                tables.add(table.name)
        self.connection.register("repaired", arrivals.repaired_of(repaired, positions, envelopes))
        self._delete("staged", odd)
        self.connection.execute(reading.stage_repaired(schema.context))
        return tables

    def number(self, query: str) -> int:
        """The answer to a query for one number."""
        ((number,),) = self.connection.execute(query).fetchall()
        return int(number)

    def positions(self, query: str) -> set[int]:
        """The answer to a query for positions."""
        return {position for (position,) in self.connection.execute(query).fetchall()}

    def _hash_ids(self) -> None:
        self.connection.execute(_HASHES)
        if self.number("select count(*) - count(distinct high) from temp.hashes"):
            self.repeated = self.positions(_REPEATED)

    def _odd(self, schema: Schema, shapes: Mapping[int, Shape]) -> set[int]:
        misfits = ", ".join(str(shape) for shape, known in shapes.items() if not known.fits)
        of_misfit_shape = f" or shape in ({misfits})" if misfits else ""
        odd = self.positions(f"select position from temp.staged where is_odd{of_misfit_shape}")
        for name in sorted({name for shape in shapes.values() for name in shape.tables}):
            query = reading.find_unreadable_moments(schema.tables[name], self.texts)
            if query is not None:
                odd |= self.positions(query)
        return odd

    def _stored(self, position: int) -> Stored:
        number, index = self._locate(position)
        batch = self._batch(number)
        return Stored(batch.offset(index), batch.raw(index), batch.envelope(index))

    def _envelope_index(self, position: int) -> int:
        number, index = self._locate(position)
        return self._first_envelopes[number] + self._batch(number).envelope_of[index]

    def _locate(self, position: int) -> tuple[int, int]:
        """The batch's number and the event's index in it."""
        number = bisect_right(self._first_positions, position) - 1
        return number, position - self._first_positions[number]

    def _batch(self, number: int) -> Batch:
        """One is kept: positions are asked for in order."""
        if self._unpacked is None or self._unpacked[0] != number:
            self._unpacked = number, self.batches[number].unpack()
        return self._unpacked[1]

    def _delete(self, table: str, positions: Collection[int]) -> None:
        if positions:
            self.connection.execute(f"delete from temp.{table} where position in ({', '.join(map(str, positions))})")
