"""The schema as it stands on the server, and how it grows."""

from collections.abc import Collection

from gateway.model.errors import WarehouseError, WarehouseRowError
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


def read_schema(dialect: Dialect, stored: Stored, limits: Limits) -> Schema:
    """Everything that is ours."""
    schema = Schema(limits)
    ddl.adopt(schema, dialect, stored)
    return schema


def next_offset(session: Session, dialect: Dialect, log_id: str) -> int | None:
    """How far the log is loaded; None when it never was."""
    return _offset(session, dialect, ddl.CURSORS, log_id)


def store_offset(session: Session, dialect: Dialect, log_id: str, offset: int) -> None:
    """Part of the transaction that stores the rows."""
    _store_offset(session, dialect, ddl.CURSORS, log_id, offset)


def begin(session: Session, dialect: Dialect, log_id: str, offset: int) -> bool:
    """Say how far a load goes before it stores anything; whether an earlier one broke off on the way."""
    begun = _offset(session, dialect, ddl.INTENTS, log_id) or 0
    if offset > begun:
        _store_offset(session, dialect, ddl.INTENTS, log_id, offset)
    return begun > (next_offset(session, dialect, log_id) or 0)


def _offset(session: Session, dialect: Dialect, table: str, log_id: str) -> int | None:
    """The last one, which is the highest."""
    name = dialect.name("next_offset")
    of_log = f"{dialect.name(table)} where {dialect.name('log_id')} = {dialect.literal(log_id)}"
    rows = session.fetch(f"select {name} from {of_log} order by {name} desc limit 1")
    return int(rows[0][0]) if rows else None


def _store_offset(session: Session, dialect: Dialect, table: str, log_id: str, offset: int) -> None:
    told = dialect.literal(log_id)
    if dialect.is_transactional:
        session.execute(f"delete from {dialect.name(table)} where {dialect.name('log_id')} = {told}")
    columns = dialect.names(("log_id", "next_offset"))
    session.execute(f"insert into {dialect.name(table)} ({columns}) values ({told}, {int(offset)})")


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
