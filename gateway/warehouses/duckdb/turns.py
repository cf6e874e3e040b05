"""Whose turn it is to use DuckDB's memory: a load's, or that of the staging of the next one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """One at a time, loads first: what was staged for a load is not to make room for the one after it."""

    def __init__(self) -> None:
        self._change = Condition()
        self._is_taken = False
        self.waiting_loads = 0

    @contextmanager
    def load(self) -> Iterator[None]:
        """A load's turn."""
        with self._change:
            self.waiting_loads += 1
            try:
                self._take(lambda: not self._is_taken)
            finally:
                self.waiting_loads -= 1
        try:
            yield
        finally:
            self._release()

    @contextmanager
    def stage(self) -> Iterator[None]:
        """A staging's turn."""
        with self._change:
            self._take(lambda: not self._is_taken and not self.waiting_loads)
        try:
            yield
        finally:
            self._release()

    def _take(self, is_free: Callable[[], bool]) -> None:
        self._change.wait_for(is_free)
        self._is_taken = True

    def _release(self) -> None:
        with self._change:
            self._is_taken = False
            self._change.notify_all()
