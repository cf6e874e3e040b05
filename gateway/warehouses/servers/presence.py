"""What a load that broke off has stored already, on a server without transactions."""

from gateway.warehouses.servers.dialect import Dialect
from gateway.warehouses.servers.session import Session
from gateway.warehouses.shaping.staging import Staging

IDS_AT_ONCE = 5_000
"""Of one statement."""

_STAGED = "select id, source, position from temp.staged order by position"
_BOUNDS = "select min(epoch_us(received_at)), max(epoch_us(received_at)) from temp.staged"


def lacking(staging: Staging, session: Session, dialect: Dialect, table: str) -> str:
    """A condition on `s`, the staged events: those that have no row in the table."""
    earliest, latest = staging.connection.execute(_BOUNDS).fetchall()[0]
    within = dialect.sql(
        f"[received_at] >= {dialect.moment_of.format(us=earliest)}"
        f" and [received_at] <= {dialect.moment_of.format(us=latest)}"
    )
    columns, source = dialect.names(("id", "source")), dialect.name(table)
    events = {(row[0], row[1]): row[2] for row in staging.connection.execute(_STAGED).fetchall()}
    stored: list[int] = []
    ids = list(dict.fromkeys(event_id for event_id, _ in events))
    for start in range(0, len(ids), IDS_AT_ONCE):
        listed = dialect.literals(ids[start : start + IDS_AT_ONCE])
        found = session.fetch(f"select {columns} from {source} where {within} and {dialect.name('id')} in ({listed})")
        stored += [events[row] for row in found if row in events]
    return f"s.position not in ({', '.join(map(str, stored))})" if stored else "true"
