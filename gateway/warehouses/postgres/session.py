"""A connection to PostgreSQL."""

from collections.abc import Iterable, Sequence

from gateway.warehouses.names import quoted
from gateway.warehouses.postgres.wire import WireSession
from gateway.warehouses.servers.ddl import IDS

CLAIMED = "_headwater_claimed"
"""A temporary table. It hides what has the same name in the schema."""

_CLAIM = f"""
    with kept as (
        insert into {IDS} (high, low) select high, low from {CLAIMED}
        on conflict do nothing returning high, low)
    select position from {CLAIMED} left join kept using (high, low) where kept.high is null"""


class PostgresSession(WireSession):
    """A Session. Rows come to it as `copying.pack` makes them."""

    def append(self, table: str, columns: Sequence[str], rows: Iterable[bytes], token: str = "") -> None:  # noqa: ARG002 - for servers without transactions
        """See Session."""
        self._copy(f"{quoted(table)} ({', '.join(map(quoted, columns))})", rows)

    def claim(self, hashes: Iterable[bytes]) -> set[int]:
        """See Session. Of two gateways that store an id at once, the second waits for what becomes of the first."""
        self.execute(f"create temp table if not exists {CLAIMED} (position bigint, high bigint, low bigint)")
        self.execute(f"truncate {CLAIMED}")
        self._copy(CLAIMED, hashes)
        return {position for (position,) in self.fetch(_CLAIM)}

    def _copy(self, target: str, pieces: Iterable[bytes]) -> None:
        with (
            self._connected() as connection,
            connection.cursor() as cursor,
            cursor.copy(f"copy {target} from stdin with (format binary)".encode()) as copy,
        ):
            for piece in pieces:
                copy.write(piece)
