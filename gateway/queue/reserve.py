"""Space set aside on the disk, given up when it is full, so that outcomes can still be recorded and the queue drain."""

import os
from pathlib import Path


class Reserve:
    """A file of `size_bytes` beside the database."""

    def __init__(self, directory: Path, size_bytes: int) -> None:
        self._path = directory / "reserve"
        self.size_bytes = size_bytes

    @property
    def is_held(self) -> bool:
        """The space is set aside, or none is wanted."""
        return self.size_bytes == 0 or self._path.exists()

    def take(self) -> None:
        """Set the space aside. Raises OSError where there is none, and then leaves nothing behind."""
        if self._path.exists() and self._path.stat().st_size == self.size_bytes:
            return
        self.give_up()
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self.size_bytes)
        except OSError:
            self.give_up()
            raise
        finally:
            os.close(descriptor)

    def give_up(self) -> bool:
        """Free the space; False if it was not held."""
        try:
            self._path.unlink()
        except FileNotFoundError:
            return False
        return True


def free_bytes(directory: Path) -> int:
    """Space on the disk that this process may use."""
    disk = os.statvfs(directory)
    return disk.f_bavail * disk.f_frsize
