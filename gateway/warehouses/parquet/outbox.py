"""Files on their way: written here, listed in the transaction of their load, published after it.

What is listed is published by whoever comes next, wherever a process ended; publishing twice changes nothing. What is
not listed belongs to a load that was not stored, and is removed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gateway.model.errors import WarehouseError
from gateway.warehouses.objects import Disk, Store

OUTBOX = "_headwater_outbox"
"""Files that belong to stored loads, and may not be published yet."""


class Outbox:
    """A folder beside the state, in front of a store."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        self._files = Disk(folder)
        self._store = store

    def prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the list."""
        connection.execute(f"create table if not exists {OUTBOX} (path varchar not null)")

    def file(self, path: str) -> Path:
        """Where the file for a path of the store is to be written."""
        return self._files.file(_flat(path))

    def add(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        """The file has been written, and is published when the transaction is stored."""
        self._files.sync(_flat(path))
        connection.execute(f"insert into {OUTBOX} values (?)", [path])

    def publish(self, connection: duckdb.DuckDBPyConnection) -> None:
        """What is listed is in the store afterwards, and the folder is empty. Not within a transaction."""
        paths = [path for (path,) in connection.execute(f"select path from {OUTBOX} order by path").fetchall()]
        for path in paths:
            self._store.put(path, self._read(path))
        if paths:
            connection.execute(f"delete from {OUTBOX}")
        for name in list(self._files.list("")):
            self._files.delete(name)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """A file that is not listed, until the context ends."""
        try:
            yield self._files.file(name)
        finally:
            self._files.delete(name)

    def _read(self, path: str) -> bytes:
        body = self._files.get(_flat(path))
        if body is None:
            raise WarehouseError(
                f"{self.file(path)} is missing: its events are stored, and not published",
                hint="put it back; without it, empty the table _headwater_outbox of the state and replay its events",
            )
        return body


def _flat(path: str) -> str:
    return path.replace("/", "!")
