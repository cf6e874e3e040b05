"""DuckDB, as it reads events: in memory, within bounds, and shut in."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from gateway.model.errors import WarehouseError, WarehouseRowError
from gateway.warehouses.names import literal

KEPT_PART = 3
"""One part of so many of DuckDB's memory is not given back between uses: asking the system for it again takes time."""


class Bounds(NamedTuple):
    """What DuckDB may use: bytes of memory, threads, and a folder for what does not fit."""

    memory_limit: int
    threads: int
    spill: Path


def start(bounds: Bounds, *, files: Sequence[Path] = (), folders: Sequence[Path] = ()) -> duckdb.DuckDBPyConnection:
    """A DuckDB that opens no other files than these, and none but those in `folders`."""
    root = duckdb.connect(
        config={
            "threads": bounds.threads,
            "memory_limit": f"{bounds.memory_limit}B",
            "block_allocator_memory": f"{bounds.memory_limit // KEPT_PART}B",
            "temp_directory": str(bounds.spill),
            "preserve_insertion_order": False,
            "checkpoint_threshold": "64KiB",
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    root.execute("set timezone = 'UTC'")
    root.execute(f"set allowed_paths = [{_listed(files)}]")
    root.execute(f"set allowed_directories = [{_listed(folders)}]")
    root.execute("set enable_external_access = false")
    return root


class ShapingEngine:
    """A DuckDB without a database, whose results go to files in `folder`. Blocking: called from threads."""

    def __init__(self, bounds: Bounds, folder: Path) -> None:
        self.folder = folder
        self._bounds = bounds
        self._lock = threading.Lock()
        self._root: duckdb.DuckDBPyConnection | None = None

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A new connection. It belongs to the caller, and to one thread at a time."""
        with self._lock, translated():
            self._root = self._root or start(self._bounds, folders=[self.folder])
            return self._root.cursor()

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            if self._root is not None:
                self._root.close()
                self._root = None


@contextmanager
def translated() -> Iterator[None]:
    """Raises WarehouseRowError where the events are at fault, WarehouseError for everything else."""
    try:
        yield
    except (duckdb.DataError, duckdb.OutOfMemoryException) as error:
        raise failure(first_line(error), is_of_rows=True) from error
    except duckdb.Error as error:
        raise failure(first_line(error), is_of_rows=False) from error


def failure(said: str, *, is_of_rows: bool) -> WarehouseError | WarehouseRowError:
    """What DuckDB said, as an error of ours."""
    if is_of_rows:
        return WarehouseRowError(f"DuckDB refuses these rows: {said}")
    return WarehouseError(said, hint="it is tried again; see docs/warehouses")


def first_line(error: Exception) -> str:
    """What an error says, without the excerpt of the statement."""
    return str(error).partition("\n")[0]


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(literal(str(path)) for path in paths)
