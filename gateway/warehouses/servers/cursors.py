"""How far each log is loaded, and how much that was: a row for each, stored with the rows of events."""

from collections.abc import Mapping

from gateway.warehouses.contract import Handed
from gateway.warehouses.counting import FORGOTTEN, event_rows
from gateway.warehouses.servers.ddl import CURSORS, INTENTS
from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.session import Session


def next_offset(session: Session, dialect: Dialect, log_id: str) -> int | None:
    """How far the log is loaded; None when it never was."""
    handed = _handed(session, dialect, log_id)
    return handed.next_offset if handed else None


def advance(session: Session, dialect: Dialect, log_id: str, offset: int, events: int = 0) -> None:
    """Part of the transaction that stores the rows. `events` is how many were handed over since."""
    before = _handed(session, dialect, log_id)
    counted = before.events if before else 0
    values = {"log_id": dialect.literal(log_id), "next_offset": str(offset)}
    if counted is not None:
        values["events"] = str(counted + events)
    _replace(session, dialect, CURSORS, values)


def forget(session: Session, dialect: Dialect, removed: Mapping[str, int]) -> None:
    """Part of the transaction that removes a person's rows: how many, by table."""
    if rows := event_rows(removed):
        advance(session, dialect, FORGOTTEN, 0, rows)


def begin(session: Session, dialect: Dialect, log_id: str, offset: int) -> bool:
    """Say how far a load goes before it stores anything; whether an earlier one broke off on the way."""
    name = dialect.name("next_offset")
    of_log = f"{dialect.name(INTENTS)} where {dialect.name('log_id')} = {dialect.literal(log_id)}"
    rows = session.fetch(f"select {name} from {of_log} order by {name} desc limit 1")
    begun = int(rows[0][0]) if rows else 0
    if offset > begun:
        _replace(session, dialect, INTENTS, {"log_id": dialect.literal(log_id), "next_offset": str(offset)})
    return begun > (next_offset(session, dialect, log_id) or 0)


def all_handed(session: Session, dialect: Dialect) -> Mapping[str, Handed]:
    """Of everything that has a row."""
    columns, name = dialect.names(("log_id", "next_offset", "events")), dialect.name("next_offset")
    rows = session.fetch(f"select {columns} from {dialect.name(CURSORS)} order by {name}, {dialect.name('events')}")
    return {log_id: _told(offset, events) for log_id, offset, events in rows}


def _handed(session: Session, dialect: Dialect, log_id: str) -> Handed | None:
    """The last row, which is the highest."""
    offset, events = dialect.name("next_offset"), dialect.name("events")
    of_log = f"{dialect.name(CURSORS)} where {dialect.name('log_id')} = {dialect.literal(log_id)}"
    rows = session.fetch(f"select {offset}, {events} from {of_log} order by {offset} desc, {events} desc limit 1")
    return _told(*rows[0]) if rows else None


def _told(offset: object, events: object) -> Handed:
    return Handed(int(str(offset)), None if events is None else int(str(events)))


def _replace(session: Session, dialect: Dialect, table: str, values: Mapping[str, str]) -> None:
    if dialect.is_transactional:
        log_id = f"{dialect.name('log_id')} = {values['log_id']}"
        session.execute(f"delete from {dialect.name(table)} where {log_id}")
    columns = dialect.names(tuple(values))
    session.execute(f"insert into {dialect.name(table)} ({columns}) values ({', '.join(values.values())})")
