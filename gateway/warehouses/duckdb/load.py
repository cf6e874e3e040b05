"""One load: the steps between `begin` and `commit`."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate

import duckdb

from gateway.model.envelope import Batch, Stored
from gateway.warehouses.contract import Loaded
from gateway.warehouses.duckdb import arrivals, statements
from gateway.warehouses.duckdb.catalogue import IDS, store_offset, write_growth
from gateway.warehouses.repair import Repaired, repair
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.values import decode

TOO_MANY_TABLES = "too_many_tables"
MAX_REMEMBERED_SHAPES = 50_000


class Load:
    """The events of one load, on a connection within a transaction.

    `shapes` remembers, for as long as `schema` is the same, where events of a structure go.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        schema: Schema,
        shapes: dict[int, Shape],
        batches: Sequence[Batch],
    ) -> None:
        self._connection = connection
        self._schema = schema
        self._shapes = shapes
        self._batches = batches
        self._first_positions = [0, *accumulate(map(len, batches))]
        self._first_envelopes = [0, *accumulate(len(batch.envelopes) for batch in batches)]
        self._warnings: Counter[str] = Counter()

    def run(self, log_id: str, next_offset: int) -> Loaded:
        """Everything but the commit."""
        events = self._first_positions[-1]
        rows = self._store() if events else 0
        store_offset(self._connection, log_id, next_offset)
        return Loaded(rows, events - rows, self._warnings)

    def _store(self) -> int:
        connection = self._connection
        connection.register("arrived", arrivals.Arrivals(self._batches))
        connection.register("envelopes", arrivals.envelopes_of(self._batches))
        self._stage()
        shapes = self._learn()
        self._grow()
        self._drop_duplicates()
        self._name_events()
        self._repair(shapes)
        for name in _tables(shapes):
            connection.execute(statements.fill_table(self._schema.tables[name], self._schema.context))
        connection.execute(f"insert into {IDS} select high, low from temp.hashes")
        return self._number("select count(*) from temp.staged")

    def _stage(self) -> None:
        self._connection.execute(statements.stage(self._schema.context))

    def _learn(self) -> dict[int, Shape]:
        """The shapes of the staged events, after the schema has grown by what is new in them."""
        samples = self._connection.execute(
            "select shape, min(position), count(*) from temp.staged group by shape order by 2"
        ).fetchall()
        if len(self._shapes) + len(samples) > MAX_REMEMBERED_SHAPES:
            self._shapes.clear()
        new = {shape: decode(self._stored(position).raw) for shape, position, _ in samples if shape not in self._shapes}
        for event in new.values():
            self._schema.learn(event)
        for shape, event in new.items():
            self._shapes[shape] = self._schema.shape(event)
        self._warnings[TOO_MANY_TABLES] += sum(rows for shape, _, rows in samples if self._shapes[shape].lacks_table)
        return {shape: self._shapes[shape] for shape, _, _ in samples}

    def _grow(self) -> None:
        """Write what the schema has grown by. Events are read again when their context has become wider."""
        if write_growth(self._connection, self._schema):
            self._stage()

    def _drop_duplicates(self) -> None:
        """Keep the first of each id, and none that is stored."""
        connection = self._connection
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

    def _name_events(self) -> None:
        """Which table each name of a track belongs to."""
        rows = self._connection.execute(
            "select distinct event_text from temp.staged where type = 'track' and event_text is not null"
        ).fetchall()
        names = [(text, self._schema.table_of_event(text)) for (text,) in rows]
        self._connection.register("event_names", arrivals.names_of([named for named in names if named[1]]))

    def _repair(self, shapes: Mapping[int, Shape]) -> None:
        """Stage what the SQL would misread once more, as Python reads it."""
        odd = self._odd(shapes)
        if not odd:
            return
        positions = sorted(odd)
        repaired = [self._repaired(position) for position in positions]
        envelopes = [self._envelope_index(position) for position in positions]
        self._connection.register("repaired", arrivals.repaired_of(repaired, positions, envelopes))
        self._forget("staged", odd)
        self._connection.execute(statements.stage_repaired(self._schema.context))

    def _odd(self, shapes: Mapping[int, Shape]) -> set[int]:
        misfits = ", ".join(str(shape) for shape, known in shapes.items() if not known.fits)
        of_misfit_shape = f" or shape in ({misfits})" if misfits else ""
        odd = self._positions(f"select position from temp.staged where is_odd{of_misfit_shape}")
        for name in _tables(shapes):
            query = statements.find_unreadable_moments(self._schema.tables[name])
            if query is not None:
                odd |= self._positions(query)
        return odd

    def _repaired(self, position: int) -> Repaired:
        stored = self._stored(position)
        table = self._schema.body_table(decode(stored.raw))
        return repair(stored, self._schema.context, table.columns if table else None, self._warnings)

    def _stored(self, position: int) -> Stored:
        number, index = self._locate(position)
        batch = self._batches[number]
        return Stored(batch.first_offset + index, batch.raw(index), batch.envelope(index))

    def _envelope_index(self, position: int) -> int:
        number, index = self._locate(position)
        return self._first_envelopes[number] + self._batches[number].envelope_of[index]

    def _locate(self, position: int) -> tuple[int, int]:
        """The batch's number and the event's index in it."""
        number = bisect_right(self._first_positions, position) - 1
        return number, position - self._first_positions[number]

    def _forget(self, table: str, positions: set[int]) -> None:
        self._connection.execute(f"delete from temp.{table} where position in ({', '.join(map(str, positions))})")

    def _positions(self, query: str) -> set[int]:
        return {position for (position,) in self._connection.execute(query).fetchall()}

    def _number(self, query: str) -> int:
        row = self._connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def _tables(shapes: Mapping[int, Shape]) -> list[str]:
    return sorted({name for shape in shapes.values() for name in shape.tables})
