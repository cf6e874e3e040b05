"""A queue in memory with the interface of gateway.queue."""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import replace

from gateway.model.envelope import Batch, Envelope
from gateway.queue.records import Cursor, Letter, LetterState, Progress, RetryState


class MemoryQueue:
    def __init__(self) -> None:
        self.log_id = "log-1"
        self.first_offset = 0
        self.events: list[tuple[bytes, Envelope]] = []
        self._cursors: dict[str, Cursor] = {}
        self._letters: dict[int, Letter] = {}
        self._next_letter = 1
        self._grown = asyncio.Condition()

    @property
    def head_offset(self) -> int:
        return len(self.events)

    async def append(self, envelope: Envelope, raws: Sequence[bytes]) -> None:
        self.events += [(raw, envelope) for raw in raws]
        async with self._grown:
            self._grown.notify_all()

    async def read(self, offset: int, max_events: int, max_bytes: int) -> list[Batch]:
        await asyncio.sleep(0)
        offset = max(offset, self.first_offset)
        chosen, size = [], 0
        for raw, envelope in self.events[offset : offset + max_events]:
            if chosen and size + len(raw) > max_bytes:
                break
            chosen.append((raw, envelope))
            size += len(raw)
        if not chosen:
            return []
        bounds = array("I", [0])
        for raw, _ in chosen:
            bounds.append(bounds[-1] + len(raw))
        return [
            Batch(
                offset,
                b"".join(raw for raw, _ in chosen),
                bounds,
                [envelope for _, envelope in chosen],
                array("I", range(len(chosen))),
            )
        ]

    async def wait_beyond(self, offset: int) -> None:
        async with self._grown:
            await self._grown.wait_for(lambda: self.head_offset > offset)

    async def register(self, destination: str) -> Cursor:
        return self._cursors.setdefault(destination, Cursor(destination, 0, 0, 0, 0, 0, 0, None))

    async def cursors(self) -> list[Cursor]:
        return list(self._cursors.values())

    async def record(self, destination: str, progress: Progress) -> Cursor:
        cursor = self._cursors[destination]
        dead = sum(letter.state == "dead" for letter in progress.letters)
        retrying = len(progress.letters) - dead
        assert progress.delivered + progress.filtered + dead + retrying == progress.next_offset - cursor.next_offset
        for letter in progress.letters:
            self._letters[self._next_letter] = replace(letter, id=self._next_letter)
            self._next_letter += 1
        self._cursors[destination] = replace(
            cursor,
            next_offset=progress.next_offset,
            delivered=cursor.delivered + progress.delivered,
            filtered=cursor.filtered + progress.filtered,
            dead=cursor.dead + dead,
            retrying=cursor.retrying + retrying,
        )
        await asyncio.sleep(0.001)
        return self._cursors[destination]

    async def set_retry(self, destination: str, retry: RetryState | None) -> None:
        self._cursors[destination] = replace(self._cursors[destination], retry=retry)

    async def rewind(self, destination: str, next_offset: int) -> Cursor:
        cursor = self._cursors[destination]
        self._cursors[destination] = replace(
            cursor, start_offset=next_offset, next_offset=next_offset, delivered=0, dead=0, filtered=0, retrying=0
        )
        return self._cursors[destination]

    async def drop_destination(self, destination: str) -> int:
        cursor = self._cursors.pop(destination)
        return self.head_offset - cursor.next_offset

    async def start_replay(self, destination: str, from_offset: int, to_offset: int) -> Cursor:
        name = f"{destination}#replay-{len(self._cursors)}"
        self._cursors[name] = Cursor(name, from_offset, from_offset, 0, 0, 0, 0, None, to_offset)
        return self._cursors[name]

    async def offset_at(self, at_ms: int) -> int:
        times = [envelope.received_at_ms for _, envelope in self.events]
        return next((offset for offset, time in enumerate(times) if time >= at_ms), len(times))

    async def due_letters(self, destination: str, now_ms: int, limit: int) -> list[Letter]:
        due = [
            letter
            for letter in self._letters.values()
            if letter.destination == destination and letter.state == "retry" and letter.next_attempt_at_ms <= now_ms
        ]
        return due[:limit]

    async def letters(
        self, destination: str | None, state: LetterState | None, after_id: int, limit: int
    ) -> list[Letter]:
        found = [
            letter
            for letter in self._letters.values()
            if destination in (None, letter.destination) and state in (None, letter.state) and letter.id > after_id
        ]
        return found[:limit]

    async def settle_letter(self, letter_id: int) -> None:
        letter = self._letters.pop(letter_id)
        cursor = self._cursors[letter.destination]
        self._cursors[letter.destination] = replace(
            cursor, delivered=cursor.delivered + 1, retrying=cursor.retrying - 1
        )

    async def postpone_letter(self, letter_id: int, attempts: int, next_attempt_at_ms: int, error: str) -> None:
        self._letters[letter_id] = replace(
            self._letters[letter_id], attempts=attempts, next_attempt_at_ms=next_attempt_at_ms, error=error
        )

    async def bury_letter(self, letter_id: int, reason: str, error: str) -> None:
        letter = self._letters[letter_id]
        self._letters[letter_id] = replace(letter, state="dead", reason=reason, error=error)
        cursor = self._cursors[letter.destination]
        self._cursors[letter.destination] = replace(cursor, dead=cursor.dead + 1, retrying=cursor.retrying - 1)

    async def retry_letters(self, destination: str, letter_ids: Sequence[int] | None, now_ms: int) -> int:
        chosen = [
            letter
            for letter in self._letters.values()
            if letter.destination == destination
            and letter.state == "dead"
            and (letter_ids is None or letter.id in letter_ids)
        ]
        for letter in chosen:
            self._letters[letter.id] = replace(letter, state="retry", next_attempt_at_ms=now_ms, attempts=0)
        cursor = self._cursors[destination]
        self._cursors[destination] = replace(
            cursor, dead=cursor.dead - len(chosen), retrying=cursor.retrying + len(chosen)
        )
        return len(chosen)
