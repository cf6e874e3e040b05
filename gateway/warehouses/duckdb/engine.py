"""DuckDB, and the database file that is open only while somebody uses it.

The engine itself lives in memory; the file is attached for a load or a query and detached after it, so that notebooks
and BI tools get their turn. Loads and queries share one engine: two engines in a process would not see each other's
locks. Blocking: called from threads.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from gateway.model.errors import WarehouseError
from gateway.warehouses.duckdb.settings import DuckDBSettings
from gateway.warehouses.names import literal
from gateway.warehouses.shaping.engine import Bounds, start, translated

DATABASE = "warehouse"
"""What the attached file is called in SQL."""
ROW_GROUP_ROWS = 122_880


class Engine:
    """One DuckDB. `connection` is only for whoever has `attached` the file."""

    def __init__(self, settings: DuckDBSettings) -> None:
        self._settings = settings
        self._path = settings.path.absolute()
        self._lock = threading.Lock()
        self._users = 0
        self._root: duckdb.DuckDBPyConnection | None = None

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A new connection, not yet to the file. It belongs to the caller, and to one thread at a time."""
        with self._lock, self._translated():
            self._root = self._root or self._start()
            return self._root.cursor()

    @contextmanager
    def attached(self, connection: duckdb.DuckDBPyConnection | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """`connection`, or a new one, to the file, which is opened for the first user and released by the last.

        It is closed at the end: what it left open would keep the file from being released.

        Raises WarehouseError when the file cannot be opened or written, WarehouseRowError when the rows are at fault.
        """
        with self._translated(), self._open_file() as root, connection or root.cursor() as user:
            user.execute(f"use {DATABASE}")
            yield user

    def close(self) -> None:
        """Give everything back. Nobody may be attached."""
        with self._lock:
            if self._root is not None:
                self._root.close()
                self._root = None

    @contextmanager
    def _open_file(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            root = self._root = self._root or self._start()
            if not self._users:
                root.execute(
                    f"attach {literal(str(self._path))} as {DATABASE} (type duckdb, row_group_size {ROW_GROUP_ROWS})"
                )
            self._users += 1
        try:
            yield root
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._release(root)

    def _release(self, root: duckdb.DuckDBPyConnection) -> None:
        """Detaching writes what was committed into the file; an engine that could not is not used again."""
        try:
            root.execute(f"detach {DATABASE}")
        except duckdb.Error:
            self._root = None
            with suppress(duckdb.Error):
                root.close()
            raise

    def _start(self) -> duckdb.DuckDBPyConnection:
        settings, path = self._settings, str(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        own_files = [Path(path + ending) for ending in ("", ".wal", ".wal.checkpoint", ".wal.recovery")]
        return start(Bounds(settings.memory_limit, settings.threads, Path(f"{path}.spill")), files=own_files)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with translated():
                yield
        except WarehouseError as error:
            if isinstance(error.__cause__, duckdb.IOException):
                raise WarehouseError(error.message, hint=self._hint(error.message)) from error.__cause__
            raise
        except OSError as error:
            raise WarehouseError(
                f"cannot make the directory of {self._path}: {error.strerror}", hint="check its owner and mode"
            ) from error

    def _hint(self, message: str) -> str:
        if "lock" in message:
            return f"another program has {self._path} open; loading goes on once it closes it"
        if "No space" in message:
            return f"make room on the disk of {self._path}; nothing is lost meanwhile"
        return f"check that {self._path} is a DuckDB file that the daemon may write"
