"""A queue in memory that takes events as the real one does, and commits when the test says so."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.govern import Suppression
from gateway.model.envelope import Envelope
from gateway.queue.records import Appended, Rejected


class MemoryQueue:
    """Takes events as the queue does: one commit for each request, duplicates known by source and id."""

    def __init__(self) -> None:
        self.stored: list[tuple[Envelope, bytes]] = []
        self.rejected: list[Rejected] = []
        self.suppression = Suppression(bytes(32))
        self.refusal: Exception | None = None
        self.commit_error: Exception | None = None
        self.may_commit = asyncio.Event()
        self.may_commit.set()
        self._known: set[tuple[str, str]] = set()
        self._waiting: list[Callable[[], None]] = []

    def submit(
        self, envelope: Envelope, message_ids: Sequence[str], raws: Sequence[bytes]
    ) -> "asyncio.Future[Appended]":
        if self.refusal is not None:
            raise self.refusal
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

        def commit() -> None:
            if self.commit_error is not None:
                future.set_exception(self.commit_error)
                return
            new = [raw for key, raw in zip(message_ids, raws, strict=True) if self._is_new(envelope.source, key)]
            self.stored += [(envelope, raw) for raw in new]
            future.set_result(Appended(len(new), len(raws) - len(new)))

        if self.may_commit.is_set():
            commit()
        else:
            self._waiting.append(commit)
        return future

    def commit_held(self) -> None:
        """Commit what was held back while `may_commit` was cleared."""
        self.may_commit.set()
        waiting, self._waiting = self._waiting, []
        for commit in waiting:
            commit()

    def note_rejected(self, rejected: Rejected) -> None:
        self.rejected.append(rejected)

    @property
    def raws(self) -> list[bytes]:
        return [raw for _, raw in self.stored]

    def _is_new(self, source: str, message_id: str) -> bool:
        is_new = (source, message_id) not in self._known
        self._known.add((source, message_id))
        return is_new
