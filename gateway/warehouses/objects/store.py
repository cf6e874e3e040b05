"""What keeps the objects: a folder, or a bucket. Calls block; paths are relative, with slashes."""

from collections.abc import Iterator, Sequence
from typing import Protocol


class Store(Protocol):
    """Every method raises WarehouseError when the store cannot do it now."""

    def get(self, path: str) -> bytes | None:
        """The object; None where there is none."""
        ...

    def put(self, path: str, body: bytes) -> None:
        """Write the object, or write it over: it is there whole and durable when this returns, or as it was before."""
        ...

    def delete(self, path: str) -> None:
        """It is not there any more. Once more changes nothing."""
        ...

    def list(self, folder: str) -> Iterator[str]:
        """Paths of the objects in a folder and below it; all for an empty one."""
        ...

    def folders(self, folder: str) -> Sequence[str]:
        """Names of the folders that are directly in a folder, sorted; those at the top for an empty one."""
        ...
