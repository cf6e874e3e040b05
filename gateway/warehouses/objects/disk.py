"""Objects as files in a folder: written beside their place, made durable, and moved there."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.model.errors import WarehouseError

_UNFINISHED = ".part"
"""A file whose name begins with a dot as well: no reader of a folder takes it for data."""


class Disk:
    """A Store."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with _in_words(root):
            _make(root)

    def file(self, path: str) -> Path:
        """Where it is, or would be."""
        return self._root / path

    def sync(self, path: str) -> None:
        """Make a file durable that somebody else has written in the folder itself."""
        with _in_words(self._root / path):
            descriptor = os.open(self._root / path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _sync(self._root)

    def get(self, path: str) -> bytes | None:
        """As `Store.get` says."""
        with _in_words(self._root / path):
            try:
                return (self._root / path).read_bytes()
            except FileNotFoundError:
                return None

    def put(self, path: str, body: bytes) -> None:
        """As `Store.put` says."""
        target = self._root / path
        unfinished = _unfinished(target)
        with _in_words(target):
            _make(target.parent)
            with unfinished.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(target)
            _sync(target.parent)

    def delete(self, path: str) -> None:
        """As `Store.delete` says, with what was left of an unfinished one."""
        target = self._root / path
        with _in_words(target):
            _unfinished(target).unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            if target.parent.is_dir():
                _sync(target.parent)

    def list(self, folder: str) -> Iterator[str]:
        """As `Store.list` says."""
        with _in_words(self._root / folder):
            for base, _, files in os.walk(self._root / folder, onerror=_unless_missing):
                for name in files:
                    if not name.endswith(_UNFINISHED):
                        yield (Path(base) / name).relative_to(self._root).as_posix()

    def folders(self, folder: str) -> Sequence[str]:
        """As `Store.folders` says."""
        with _in_words(self._root / folder):
            try:
                return sorted(entry.name for entry in os.scandir(self._root / folder) if entry.is_dir())
            except FileNotFoundError:
                return []


def _unless_missing(error: OSError) -> None:
    """What cannot be listed is not empty."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _unfinished(target: Path) -> Path:
    return target.with_name(f".{target.name}{_UNFINISHED}")


def _make(folder: Path) -> None:
    """The folder, and each above it that is missing, durably."""
    if folder.is_dir():
        return
    _make(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WarehouseError(f"{path}: {error.strerror or error}") from error
