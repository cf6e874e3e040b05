"""The schema as it stands on the server, and how it grows."""

from collections.abc import Collection, Iterator

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.names import VIEWS
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.servers import ddl, views
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.session import Session, Stored

MOST_ROUNDS = 20
"""In which gateways at once that do not wait for each other agree on a schema."""


def grow(
    session: Session, dialect: Dialect, schema: Schema, blocklist: Collection[str], *, is_first: bool = False
) -> bool:
    """Make the tables, columns and views that the schema in memory has and the server lacks.

    Another gateway may have been first: what the server has counts. Where it does not wait, both look again until they
    find what they want. Views are made anew when their columns change, and at first: an earlier version may have made
    them. Returns whether the schema in memory has learned anything from the server that changes where values go.
    """
    with session.growing():
        before = session.stored()
        for statement in ddl.own_tables(dialect, before):
            session.execute(statement)
        stored = _widened(session, dialect, schema, before)
        has_changed = ddl.adopt(schema, dialect, stored)
        shown = None if is_first else views.shown_columns(before)
        for _ in range(MOST_ROUNDS):
            statements = list(ddl.missing(schema, dialect, stored))
            if not statements and views.shown_columns(stored) != shown:
                shown = views.shown_columns(stored)
                statements = list(views.create_views(dialect, stored, blocklist))
            if not statements:
                break
            for statement in statements:
                session.execute(statement)
            stored = session.stored()
            has_changed |= ddl.adopt(schema, dialect, stored)
        else:
            raise WarehouseError("the schema is not what it was made a moment ago", hint="see who else changes it")
    schema.settle()
    return has_changed


def planned(session: Session, dialect: Dialect, limits: Limits, blocklist: Collection[str]) -> Iterator[str]:
    """The statements that a start would run, in their order, for a schema in which nothing has to be made wider."""
    stored = session.stored()
    schema = read_schema(dialect, stored, limits)
    groundwork = session.groundwork()
    yield from groundwork.schema
    yield session.entry
    yield from groundwork.locks
    yield from ddl.own_tables(dialect, stored)
    yield from ddl.missing(schema, dialect, stored)
    yield from views.create_views(dialect, ddl.grown(schema, dialect, stored), blocklist)


def read_schema(dialect: Dialect, stored: Stored, limits: Limits) -> Schema:
    """Everything that is ours."""
    schema = Schema(limits)
    ddl.adopt(schema, dialect, stored)
    return schema


def _widened(session: Session, dialect: Dialect, schema: Schema, stored: Stored) -> Stored:
    """What is stored after columns of integers were made wider, as far as the server does that."""
    wanted = list(ddl.widenings(schema, dialect, stored)) if dialect.capacity.can_widen else []
    for widening in wanted:
        try:
            with session.transaction():
                if widening.table in views.shown_columns(stored):
                    for view in VIEWS:
                        session.execute(f"drop view if exists {dialect.name(view)}")
                session.execute(ddl.widen(dialect, widening))
        except (WarehouseError, WarehouseRowError):
            continue
    return session.stored() if wanted else stored
