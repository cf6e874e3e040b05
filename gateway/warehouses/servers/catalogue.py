"""The schema as it stands on the server, and how it grows."""

from collections.abc import Collection, Iterator

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.schema import Limits, Schema
from gateway.warehouses.servers import ddl, views
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.session import Session, Stored


def grow(
    session: Session, dialect: Dialect, schema: Schema, blocklist: Collection[str], *, is_first: bool = False
) -> bool:
    """Make the tables, columns and views that the schema in memory has and the server lacks.

    Another gateway may have been first: what the server has counts. Views are made anew when their columns change, and
    at first: an earlier version may have made them. Returns whether the schema in memory has learned anything from the
    server that changes where values go.
    """
    with session.growing():
        before = session.stored()
        for statement in ddl.own_tables(dialect, before):
            session.execute(statement)
        stored = _widened(session, dialect, schema, before)
        has_changed = ddl.adopt(schema, dialect, stored)
        for statement in ddl.missing(schema, dialect, stored):
            session.execute(statement)
        stored = session.stored()
        if is_first or views.shown_columns(stored) != views.shown_columns(before):
            for statement in views.create_views(dialect, stored, blocklist):
                session.execute(statement)
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
                    for view in views.VIEWS:
                        session.execute(f"drop view if exists {dialect.name(view)}")
                session.execute(ddl.widen(dialect, widening))
        except (WarehouseError, WarehouseRowError):
            continue
    return session.stored() if wanted else stored
