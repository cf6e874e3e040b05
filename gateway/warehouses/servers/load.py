"""One load: the steps between its events and the commit."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from typing import NamedTuple

from gateway.warehouses.contract import Loaded
from gateway.warehouses.identity.keeper import IdentityKeeper
from gateway.warehouses.schema import Schema, Shape
from gateway.warehouses.servers import catalogue, cursors
from gateway.warehouses.servers.ahead import made_ahead
from gateway.warehouses.servers.ddl import IDS
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.entries import ServerEntries
from gateway.warehouses.servers.journal import changing
from gateway.warehouses.servers.packing import Packing, Parcel
from gateway.warehouses.servers.presence import lacking
from gateway.warehouses.servers.session import Session
from gateway.warehouses.shaping import reading
from gateway.warehouses.shaping.rows import table_rows
from gateway.warehouses.shaping.staging import Staging

_SIGNED = ", ".join(f"({half}::hugeint - 9223372036854775808)::bigint as {half}" for half in ("high", "low"))
_CLAIM = f"select position, {_SIGNED} from temp.hashes order by 2, 3"
_EVENTS = "select bit_xor(high) from temp.hashes"
"""A number for which events these are."""


class Target(NamedTuple):
    """Where a load goes, and what is known of it."""

    session: Session
    dialect: Dialect
    packing: Packing
    schema: Schema
    shapes: dict[int, Shape]
    identity: IdentityKeeper

    @property
    def entries(self) -> ServerEntries:
        """The graph's rows."""
        return ServerEntries(self.session, self.dialect, self.packing)


def make_ready(staging: Staging, target: Target) -> dict[int, Shape]:
    """Read the events, and make the server's schema what they need: that is stored whatever becomes of the load."""
    schema = target.schema
    staging.stage(reading.stage(schema.context))
    present = staging.learn(schema, target.shapes)
    if schema.has_grown and catalogue.grow(target.session, target.dialect, schema, target.identity.rules.blocklist):
        target.shapes.clear()
        present = staging.learn(schema, target.shapes)
    staging.stage(reading.stage(schema.context))
    staging.tally(present)
    return present


def store(staging: Staging, target: Target, present: dict[int, Shape], log_id: str, next_offset: int) -> Loaded:
    """The rows, the graph and the cursor: everything but the commit."""
    session, dialect = target.session, target.dialect
    broke_off = not dialect.is_transactional and cursors.begin(session, dialect, log_id, next_offset)
    identity = Counter[str]()
    rows = 0
    if staging.arrived:
        staging.forget(staging.repeated)
        with target.packing.of_query(staging.connection, _CLAIM) as hashes:
            staging.forget(session.claim(hashes.content))
        rows = staging.number("select count(*) from temp.staged")
    if rows:
        _append_rows(staging, target, present, f"{log_id} {next_offset} {staging.number(_EVENTS)}", broke_off=broke_off)
        with changing(target.entries) as entries:
            identity = target.identity.take(staging.connection, entries)
        if not dialect.is_transactional:
            with target.packing.of_query(staging.connection, f"select {_SIGNED} from temp.hashes") as hashes:
                session.append(IDS, ("high", "low"), hashes.content)
    cursors.advance(session, dialect, log_id, next_offset, staging.arrived)
    return Loaded(rows, staging.arrived - rows, staging.warnings, identity)


def _append_rows(staging: Staging, target: Target, present: dict[int, Shape], token: str, *, broke_off: bool) -> None:
    """Of a load that broke off, as far as they are not stored. The next table's are made while one's are sent."""
    schema = target.schema
    staging.name_events(schema)
    repaired = staging.repair(schema, present)
    names = sorted({table for shape in present.values() for table in shape.tables} | repaired)
    wanted = {name: lacking(staging, target.session, target.dialect, name) if broke_off else "true" for name in names}
    with ExitStack() as parcels:

        def packed() -> Iterator[tuple[str, Sequence[str], Parcel]]:
            for name in names:
                rows = table_rows(schema.tables[name], schema.context, staging.texts, where=wanted[name])
                parcel = parcels.enter_context(target.packing.of_query(staging.connection, rows.query))
                yield name, rows.columns, parcel
            target.identity.look_ahead(staging.connection)

        with closing(made_ahead(packed())) as tables:
            for name, columns, parcel in tables:
                if parcel.rows:
                    target.session.append(name, columns, parcel.content, f"{token} {name}")
