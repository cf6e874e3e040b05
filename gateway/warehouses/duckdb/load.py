"""One load: the steps between `begin` and `commit`."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import duckdb

from gateway.model.envelope import Batch, Packed, Stored
from gateway.warehouses.contract import Loaded
from gateway.warehouses.duckdb import arrivals, statements
from gateway.warehouses.duckdb.catalogue import IDS, store_offset, write_growth
from gateway.warehouses.duckdb.identity import IdentityKeeper
from gateway.warehouses.repair import Repaired, repair
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.values import decode

TOO_MANY_TABLES = "too_many_tables"
MAX_REMEMBERED_SHAPES = 50_000


class FileState(NamedTuple):
    """What a load knows of the file, and adds to."""

    schema: Schema
    shapes: dict[int, Shape]
    """Where events go, for as long as `schema` is the same."""
    load_number: int
    """For the rows of `tracks`."""
    identity: IdentityKeeper


class Load:
    """The events of one load, on a connection of its own.

    `stage` may run ahead, without the file; `run` is within a transaction.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, batches: Sequence[Packed]) -> None:
        self.connection = connection
        self.batches = batches
        self._staged_by = ""
        self._first_positions = [0, *accumulate(map(len, batches))]
        self._first_envelopes: Sequence[int] = []
        self._unpacked: tuple[int, Batch] | None = None
        self._warnings: Counter[str] = Counter()
        self.event_rows: Counter[str] = Counter()
        """About how many rows events' own tables lack after the load."""
        self._identity: Counter[str] = Counter()

    def stage(self, statement: str) -> None:
        """Read the events by a statement of `statements.stage`, unless that is how they were read already."""
        if statement == self._staged_by:
            return
        arrived = arrivals.Arrived.of(self.batches)
        self._first_envelopes = arrived.first_envelopes
        self.connection.register("arrived", arrived)
        self.connection.register("envelopes", arrivals.envelopes_of(arrived.envelopes))
        self.connection.execute(statement)
        self._staged_by = statement

    def run(self, known: FileState, log_id: str, next_offset: int) -> Loaded:
        """Everything but the commit."""
        events = self._first_positions[-1]
        rows = self._store(known) if events else 0
        store_offset(self.connection, log_id, next_offset)
        return Loaded(rows, events - rows, self._warnings, self._identity)

    def _store(self, known: FileState) -> int:
        connection, schema = self.connection, known.schema
        self.stage(statements.stage(schema.context))
        present = self._learn(schema, known.shapes)
        if write_growth(connection, schema, known.identity):
            self.stage(statements.stage(schema.context))
        self._drop_duplicates()
        self._name_events(schema)
        repaired = self._repair(schema, present)
        for name in sorted({shape.tables[0] for shape in present.values()} | repaired):
            connection.execute(statements.fill_table(schema.tables[name], schema.context, known.load_number))
        self._identity = known.identity.take(connection)
        connection.execute(f"insert into {IDS} select high, low from temp.hashes")
        return self._number("select count(*) from temp.staged")

    def _learn(self, schema: Schema, shapes: dict[int, Shape]) -> dict[int, Shape]:
        """The shapes of the staged events, after the schema has grown by what is new in them."""
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
        for shape, _, rows in samples:
            self.event_rows.update(dict.fromkeys(shapes[shape].tables[1:], rows))
        self._warnings[TOO_MANY_TABLES] += sum(rows for shape, _, rows in samples if shapes[shape].lacks_table)
        return {shape: shapes[shape] for shape, _, _ in samples}

    def _drop_duplicates(self) -> None:
        """Keep the first of each id, and none that is stored."""
        connection = self.connection
        connection.execute(
            "create or replace temp table hashes as"
            " select position, (hash >> 64)::ubigint as high, (hash & 18446744073709551615)::ubigint as low"
            " from (select position, md5_number(source || ' ' || id)::uhugeint as hash from temp.staged)"
        )
        duplicates: set[int] = set()
        if self._number("select count(*) - count(distinct high) from temp.hashes"):
            duplicates |= self._positions(
                "select position from temp.hashes"
                " qualify row_number() over (partition by high, low order by position) > 1"
            )
        if self._positions(f"select position from temp.hashes semi join (select high from {IDS}) using (high)"):
            duplicates |= self._positions(f"select position from temp.hashes semi join {IDS} using (high, low)")
        if duplicates:
            self._forget("staged", duplicates)
            self._forget("hashes", duplicates)

    def _name_events(self, schema: Schema) -> None:
        """Which table each name of a track belongs to."""
        rows = self.connection.execute(
            "select distinct event_text from temp.staged where type = 'track' and event_text is not null"
        ).fetchall()
        names = [(text, schema.table_of_event(text)) for (text,) in rows]
        self.connection.register("event_names", arrivals.names_of([named for named in names if named[1]]))

    def _repair(self, schema: Schema, shapes: Mapping[int, Shape]) -> set[str]:
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
            repaired.append(repair(stored, schema.context, table.columns if table else None, self._warnings))
            envelopes.append(self._envelope_index(position))
            if table:
                tables.add(table.name)
        self.connection.register("repaired", arrivals.repaired_of(repaired, positions, envelopes))
        self._forget("staged", odd)
        self.connection.execute(statements.stage_repaired(schema.context))
        return tables

    def _odd(self, schema: Schema, shapes: Mapping[int, Shape]) -> set[int]:
        misfits = ", ".join(str(shape) for shape, known in shapes.items() if not known.fits)
        of_misfit_shape = f" or shape in ({misfits})" if misfits else ""
        odd = self._positions(f"select position from temp.staged where is_odd{of_misfit_shape}")
        for name in sorted({name for shape in shapes.values() for name in shape.tables}):
            query = statements.find_unreadable_moments(schema.tables[name])
            if query is not None:
                odd |= self._positions(query)
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

    def _forget(self, table: str, positions: set[int]) -> None:
        self.connection.execute(f"delete from temp.{table} where position in ({', '.join(map(str, positions))})")

    def _positions(self, query: str) -> set[int]:
        return {position for (position,) in self.connection.execute(query).fetchall()}

    def _number(self, query: str) -> int:
        row = self.connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])
