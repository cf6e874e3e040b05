"""Stores that break, and one in memory."""

import copy
from collections.abc import Iterator

from gateway.model.errors import WarehouseError
from gateway.warehouses.objects import Store


class Breaking:
    """Another store, until its change number `at` (from 0): that one fails, with or without having been made."""

    def __init__(self, store: Store, at: int, *, is_made: bool) -> None:
        self.changes = 0
        self._store = store
        self._at = at
        self._is_made = is_made

    def get(self, path: str) -> bytes | None:
        return self._store.get(path)

    def list(self, folder: str) -> Iterator[str]:
        return self._store.list(folder)

    def put(self, path: str, body: bytes) -> None:
        if self._breaks():
            if self._is_made:
                self._store.put(path, body)
            raise WarehouseError("broken")
        self._store.put(path, body)

    def delete(self, path: str) -> None:
        if self._breaks():
            if self._is_made:
                self._store.delete(path)
            raise WarehouseError("broken")
        self._store.delete(path)

    def _breaks(self) -> bool:
        self.changes += 1
        return self.changes > self._at


class Memory:
    """A store without a disk."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def get(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def put(self, path: str, body: bytes) -> None:
        self.contents[path] = copy.copy(body)

    def delete(self, path: str) -> None:
        self.contents.pop(path, None)

    def list(self, folder: str) -> Iterator[str]:
        return iter([path for path in self.contents if not folder or path.startswith(f"{folder}/")])
