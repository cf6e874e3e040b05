"""A person's rows in files: found by the same rules as in the views, file by file."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gateway.model.person import Known
from gateway.warehouses.duckdb.identity import people, views
from gateway.warehouses.names import literal
from gateway.warehouses.objects import Disk, Store
from gateway.warehouses.parquet.files import copy
from gateway.warehouses.parquet.names import table_of
from gateway.warehouses.parquet.outbox import Outbox

_LOOKED_AT = "id, source, anonymous_id, user_id, timestamp"


class PersonFiles:
    """Files of the store, one after the other. `blocklist` are values that name nobody."""

    def __init__(self, store: Store, outbox: Outbox, blocklist: Collection[str]) -> None:
        self._store = store
        self._outbox = outbox
        self._blocklist = blocklist

    def having(
        self, connection: duckdb.DuckDBPyConnection, person: Known, persons: Collection[str]
    ) -> Iterator[tuple[str, str, Path]]:
        """Path, table and a local copy of each file with rows of theirs, of which `temp.gathered` has id and source."""
        for path, table in self._all():
            with self._local(path) as file:
                events = views.persons_of(f"select {_LOOKED_AT} from {_read(file)}", self._blocklist)
                people.gather(connection, person, persons, f"({events})")
                if connection.execute("select 1 from temp.gathered limit 1").fetchall():
                    yield path, table, file

    def remove(
        self, connection: duckdb.DuckDBPyConnection, person: Known, persons: Collection[str]
    ) -> Iterator[tuple[str, int]]:
        """Write each of these files anew without the rows: its table, and how many there were."""
        for path, table, file in self.having(connection, person, persons):
            rows = _count(connection, f"select count(*) from {_read(file)}")
            with self._outbox.scratch("kept.parquet") as kept:
                others = (
                    f"select * from {_read(file)} anti join temp.gathered using (id, source) order by timestamp, id"
                )
                left = _count(connection, copy(others, kept))
                if left:
                    self._store.put(path, kept.read_bytes())
                else:
                    self._store.delete(path)
            yield table, rows - left

    def _all(self) -> list[tuple[str, str]]:
        found = ((path, table_of(path)) for path in self._store.list(""))
        return sorted((path, table) for path, table in found if table is not None)

    @contextmanager
    def _local(self, path: str) -> Iterator[Path]:
        if isinstance(self._store, Disk):
            yield self._store.file(path)
            return
        with self._outbox.scratch("fetched.parquet") as file:
            file.write_bytes(self._store.get(path) or b"")
            yield file


def _read(file: Path) -> str:
    return f"read_parquet({literal(str(file))}, hive_partitioning = false)"


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    ((count,),) = connection.execute(query).fetchall()
    return int(count)
