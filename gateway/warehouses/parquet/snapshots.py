"""The identity graph as files: one for each of its tables, written over when the graph has changed."""

from uuid import uuid4

import duckdb

from gateway.model.clock import Clock
from gateway.warehouses.duckdb.identity.views import EDGES, SPANS
from gateway.warehouses.identity.tables import LINKS, PLACES, RECORDS, TENURES
from gateway.warehouses.objects import Store
from gateway.warehouses.parquet.files import copy
from gateway.warehouses.parquet.names import snapshot_path
from gateway.warehouses.parquet.outbox import Outbox

PUBLISHED = "_headwater_snapshots"
"""This gateway's id, and what the graph was like when it was published last; one row."""

TABLES = {
    "identities": f"""
        select identifier_type, identifier, person_id, make_timestamptz(us) as linked_at, message_id as linked_by,
            cause, owner_type, owner, is_shared from {PLACES} order by person_id, identifier_type, identifier""",
    "identity_spans": f"{SPANS} order by anonymous_id, from_us",
    "identity_edges": EDGES,
    "identity_merges": f"select * from {RECORDS} order by recorded_at",
}
"""What is published. When an identifier was seen first and last is in the events, which are not read for this."""
_FINGERPRINT = " || ' ' || ".join(
    f"(select count(*) || ' ' || coalesce(bit_xor(hash({table})), 0) from {table})"
    for table in (PLACES, TENURES, LINKS, RECORDS)
)


class Snapshots:
    """Published after loads, at most once in `interval_s`; not within a transaction."""

    def __init__(self, outbox: Outbox, store: Store, clock: Clock, interval_s: float) -> None:
        self._outbox = outbox
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._next_s = 0.0

    @property
    def are_due(self) -> bool:
        """Whether it is time to look."""
        return self._clock.monotonic_s() >= self._next_s

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the row."""
        connection.execute(f"create table if not exists {PUBLISHED} (gateway varchar, fingerprint varchar)")
        if not connection.execute(f"select 1 from {PUBLISHED}").fetchall():
            connection.execute(f"insert into {PUBLISHED} values (?, '')", [uuid4().hex])

    def publish(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Where the graph is another than the published one."""
        self._next_s = self._clock.monotonic_s() + self._interval_s
        ((gateway, published, now),) = connection.execute(
            f"select gateway, fingerprint, {_FINGERPRINT} from {PUBLISHED}"
        ).fetchall()
        if now == published:
            return
        for table, query in TABLES.items():
            with self._outbox.scratch(f"{table}.parquet") as file:
                connection.execute(copy(query, file))
                self._store.put(snapshot_path(table, gateway), file.read_bytes())
        connection.execute(f"update {PUBLISHED} set fingerprint = ?", [now])
