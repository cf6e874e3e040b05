"""The queue against a plain-Python model of it: appends with repeats, reads, outcomes, letters, retention, and an end
at any moment, clean or by a crash."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.config import QueueSettings
from gateway.model.clock import ManualClock
from gateway.model.envelope import Envelope
from gateway.observe.metrics import Metrics
from gateway.queue import Appended, Cursor, Letter, Progress, Queue, RetryState, open_queue
from gateway.queue.records import LetterState

T = TypeVar("T")

CHUNK_EVENTS = 4
RUN_IDS = 8
RETENTION_S = 100
WINDOW_S = 10_000
NAMES = ("ga", "hook")
EVERYTHING = 10**9

names = st.sampled_from(NAMES)
request = st.tuples(st.sampled_from(["web", "app"]), st.lists(st.integers(0, 25), min_size=1, max_size=6))
fraction = st.floats(0, 1)


@dataclass
class Reader:
    """What the model knows of a cursor."""

    start: int
    next: int
    delivered: int = 0
    dead: int = 0
    filtered: int = 0
    retrying: int = 0
    retry: RetryState | None = None
    end: int | None = None
    ledger: int = 0

    def row(self, name: str) -> Cursor:
        counts = (self.delivered, self.dead, self.filtered, self.retrying)
        return Cursor(name, self.start, self.next, *counts, self.retry, self.end)


@dataclass
class Model:
    """The log as a list, everything else as dictionaries."""

    events: list[tuple[str, bytes, int]] = field(default_factory=list)
    """By offset: source, JSON, received at."""
    first: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)
    readers: dict[str, Reader] = field(default_factory=dict)
    letters: dict[int, tuple[str, int, LetterState, int]] = field(default_factory=dict)
    """By id: destination, offset, state, ledger."""
    is_delivering: bool = False

    def append(self, source: str, ids: list[str], at_ms: int) -> Appended:
        stored = 0
        for message_id in ids:
            if (source, message_id) not in self.seen:
                self.seen.add((source, message_id))
                self.events.append((source, raw(source, message_id), at_ms))
                stored += 1
        return Appended(stored, len(ids) - stored)

    @property
    def slowest(self) -> int:
        holding = [each.next for each in self.readers.values() if each.end is None or each.next < each.end]
        return min(holding, default=len(self.events))


def raw(source: str, message_id: str) -> bytes:
    return f'{{"messageId":"{message_id}","of":"{source}"}}'.encode()


class QueueMachine(RuleBasedStateMachine):
    """One queue and its model, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="queue-model-"))
        self.directory = self.root / "0"
        self.crashes = 0
        self.clock = ManualClock()
        self.model = Model()
        self.runner = asyncio.Runner()
        self.patches = [
            patch("gateway.queue.append.MAX_CHUNK_EVENTS", CHUNK_EVENTS),
            patch("gateway.queue.dedupe._SMALLEST_RUN", RUN_IDS),
        ]
        for each in self.patches:
            each.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to its end, committing what it waits for."""

        async def with_commits() -> T:
            async with asyncio.TaskGroup() as tasks:
                task = tasks.create_task(work)
                while not task.done():
                    await self.queue._writer.commit_pending()
                    await asyncio.sleep(0)
            return task.result()

        return self.runner.run(with_commits())

    def open(self) -> None:
        limits = {"retention": RETENTION_S, "dedupe_window": WINDOW_S, "dedupe_max_ids": 400}
        values = QueueSettings(path=self.directory, reserve=0, min_free=0, **limits)
        self.context: AbstractAsyncContextManager[Queue] = open_queue(
            values, self.clock, random.Random(1), Metrics("test")
        )
        self.queue = self.runner.run(self.context.__aenter__())

    def close(self) -> None:
        self.runner.run(self.context.__aexit__(None, None, None))

    def teardown(self) -> None:
        self.close()
        self.runner.close()
        shutil.rmtree(self.root)
        for each in self.patches:
            each.stop()

    @initialize()
    def begin(self) -> None:
        self.open()

    # --- intake

    @rule(requests=st.lists(request, min_size=1, max_size=4))
    def submit(self, requests: list[tuple[str, list[int]]]) -> None:
        async def submit() -> list[Appended]:
            return await asyncio.gather(*self.submitted(requests))

        answers = self.run(submit())

        now = self.clock.now_ms()
        assert answers == [self.model.append(source, [f"m{n}" for n in ids], now) for source, ids in requests]

    def submitted(self, requests: list[tuple[str, list[int]]]) -> list[asyncio.Future[Appended]]:
        return [
            self.queue.submit(
                Envelope(source, self.clock.now_ms()), [f"m{n}" for n in ids], [raw(source, f"m{n}") for n in ids]
            )
            for source, ids in requests
        ]

    @rule(seconds=st.integers(1, 80))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    # --- the end, and a new beginning

    @rule()
    def reopen(self) -> None:
        log_id = self.queue.log_id
        self.close()
        self.open()
        assert self.queue.log_id == log_id

    @rule(requests=st.lists(request, min_size=1, max_size=3), written=fraction)
    def crash(self, requests: list[tuple[str, list[int]]], written: float) -> None:
        """Power goes while a commit is being written: a part of what it adds to the journal is there."""
        self.crashes += 1
        crashed = self.root / str(self.crashes)
        shutil.copytree(self.directory, crashed)
        journal, copy = self.directory / "queue.db-wal", crashed / "queue.db-wal"
        safe = journal.stat().st_size if journal.exists() else 0

        async def unanswered() -> None:
            futures = self.submitted(requests)
            await self.queue._writer.commit_pending()
            await asyncio.gather(*futures)

        self.runner.run(unanswered())
        content = journal.read_bytes()
        copy.write_bytes(content[: safe + round((len(content) - safe) * written)])
        self.close()
        self.directory = crashed
        self.open()
        self.adopt(requests)

    def adopt(self, requests: list[tuple[str, list[int]]]) -> None:
        """The commit that nobody was told of is there whole, or not at all."""
        head = len(self.model.events)
        if self.queue.head_offset == head:
            return
        for source, ids in requests:
            self.model.append(source, [f"m{n}" for n in ids], self.clock.now_ms())
        assert self.queue.head_offset == len(self.model.events) > head

    # --- readers

    @rule(name=names)
    def register(self, name: str) -> None:
        cursor = self.run(self.queue.register(name))
        if name not in self.model.readers:
            start = len(self.model.events) if self.model.is_delivering else self.model.first
            self.model.readers[name] = Reader(start, start)
        assert cursor == self.model.readers[name].row(name)

    @precondition(lambda self: self.model.readers)
    @rule(data=st.data())
    def record(self, data: st.DataObject) -> None:
        name, reader = self.reader(data)
        head = len(self.model.events) if reader.end is None else reader.end
        outcomes = data.draw(st.lists(st.sampled_from(["ok", "filter", "retry", "dead"]), max_size=head - reader.next))
        spans = [(reader.next + at, outcome) for at, outcome in enumerate(outcomes) if outcome in ("retry", "dead")]
        progress = Progress(
            reader.next + len(outcomes),
            outcomes.count("ok"),
            outcomes.count("filter"),
            [self.letter(name, offset, state) for offset, state in spans],
        )

        cursor = self.run(self.queue.record(name, progress))

        reader.next = progress.next_offset
        reader.delivered += progress.delivered
        reader.filtered += progress.filtered
        reader.dead += outcomes.count("dead")
        reader.retrying += outcomes.count("retry")
        self.model.is_delivering = True
        assert cursor == reader.row(name)
        new = self.run(self.queue.letters(name, None, max(self.model.letters, default=0), EVERYTHING))
        assert [(letter.offset, letter.state) for letter in new] == spans
        self.model.letters |= {each.id: (name, each.offset, each.state, reader.ledger) for each in new}

    def letter(self, name: str, offset: int, state: LetterState) -> Letter:
        source, event, at_ms = self.model.events[offset]
        envelope = msgspec.msgpack.encode(Envelope(source, at_ms))
        return Letter(name, offset, "m", source, at_ms, event, envelope, state, "rejected", "no", 1, 0, 0)

    def reader(self, data: st.DataObject) -> tuple[str, Reader]:
        name = data.draw(st.sampled_from(sorted(self.model.readers)))
        return name, self.model.readers[name]

    @precondition(lambda self: self.model.readers)
    @rule(
        data=st.data(), retry=st.none() | st.builds(RetryState, *[st.integers(0, 9)] * 3, st.text("ab"), st.booleans())
    )
    def set_retry(self, data: st.DataObject, retry: RetryState | None) -> None:
        name, reader = self.reader(data)
        self.run(self.queue.set_retry(name, retry))
        reader.retry = retry

    @precondition(lambda self: self.model.readers)
    @rule(data=st.data(), offset=st.integers(0, 60))
    def rewind(self, data: st.DataObject, offset: int) -> None:
        name, reader = self.reader(data)
        cursor = self.run(self.queue.rewind(name, offset))
        offset = min(max(offset, self.model.first), len(self.model.events))
        self.model.readers[name] = new = Reader(
            offset, offset, retry=reader.retry, end=reader.end, ledger=reader.ledger + 1
        )
        assert cursor == new.row(name)
        letters = self.model.letters.items()
        self.model.letters = {key: each for key, each in letters if each[0] != name or each[1] < offset}

    @precondition(lambda self: any("#" not in name for name in self.model.readers))
    @rule(data=st.data(), start=st.integers(0, 60), length=st.integers(0, 30))
    def replay(self, data: st.DataObject, start: int, length: int) -> None:
        name = data.draw(st.sampled_from(sorted(each for each in self.model.readers if "#" not in each)))
        cursor = self.run(self.queue.start_replay(name, start, start + length))
        head = len(self.model.events)
        begin = min(max(start, self.model.first), head)
        end = min(max(start + length, begin), head)
        assert cursor.destination.startswith(f"{name}#replay-")
        assert cursor.destination not in self.model.readers
        self.model.readers[cursor.destination] = reader = Reader(begin, begin, end=end)
        assert cursor == reader.row(cursor.destination)

    @precondition(lambda self: self.model.readers)
    @rule(data=st.data())
    def drop_destination(self, data: st.DataObject) -> None:
        name, reader = self.reader(data)
        end = len(self.model.events) if reader.end is None else reader.end
        assert self.run(self.queue.drop_destination(name)) == max(end - reader.next, 0) + reader.retrying
        gone = {each for each in self.model.readers if each == name or each.startswith(f"{name}#replay-")}
        self.model.readers = {each: row for each, row in self.model.readers.items() if each not in gone}
        self.model.letters = {key: each for key, each in self.model.letters.items() if each[0] not in gone}

    # --- letters

    @precondition(lambda self: self.model.letters)
    @rule(data=st.data(), fate=st.sampled_from(["settle", "bury", "retry", "drop"]))
    def letter_changes(self, data: st.DataObject, fate: str) -> None:
        """Each of the four has an effect in one of the two states only."""
        key = data.draw(st.sampled_from(sorted(self.model.letters)))
        name, offset, state, ledger = self.model.letters[key]
        reader = self.model.readers[name]
        counted = reader.ledger == ledger
        match fate, state:
            case "settle", "retry":
                del self.model.letters[key]
                reader.delivered, reader.retrying = reader.delivered + counted, reader.retrying - counted
            case "bury", "retry":
                self.model.letters[key] = (name, offset, "dead", ledger)
                reader.dead, reader.retrying = reader.dead + counted, reader.retrying - counted
            case "retry", "dead":
                self.model.letters[key] = (name, offset, "retry", ledger)
                reader.dead, reader.retrying = reader.dead - counted, reader.retrying + counted
            case "drop", "dead":
                del self.model.letters[key]
        self.run(self.apply(fate, name, key))

    async def apply(self, fate: str, name: str, key: int) -> None:
        match fate:
            case "settle":
                await self.queue.settle_letter(key)
            case "bury":
                await self.queue.bury_letter(key, "horizon", "too long")
            case "retry":
                await self.queue.retry_letters(name, [key], 0)
            case "drop":
                await self.queue.drop_letters(name, [key])

    @rule(name=names)
    def drop_all_letters(self, name: str) -> None:
        gone = {key for key, each in self.model.letters.items() if each[0] == name and each[2] == "dead"}
        assert self.run(self.queue.drop_letters(name, None)) == len(gone)
        self.model.letters = {key: each for key, each in self.model.letters.items() if key not in gone}

    # --- retention

    @rule()
    def maintain(self) -> None:
        """A chunk may stay because of its last event, never longer; nothing else stays, and nothing else goes."""
        self.run(self.queue.maintain())
        old = self.clock.now_ms() - RETENTION_S * 1000
        model = self.model
        model_first = model.first
        while model_first < model.slowest and model.events[model_first][2] <= old:
            model_first += 1
        assert max(model.first, model_first - CHUNK_EVENTS + 1) <= self.queue.first_offset <= model_first
        model.first = self.queue.first_offset

    # --- what always holds

    @invariant()
    def the_log_is_the_models(self) -> None:
        if not hasattr(self, "queue"):
            return
        head = len(self.model.events)
        assert (self.queue.head_offset, self.queue.first_offset) == (head, self.model.first)
        offset = self.model.first
        while batches := self.run(self.queue.read(offset, 7, EVERYTHING)):
            for stored in (each for batch in batches for each in batch):
                source, event, at_ms = self.model.events[offset]
                assert (stored.offset, stored.raw, stored.envelope) == (offset, event, Envelope(source, at_ms))
                offset += 1
        assert offset == head

    @invariant()
    def the_ledgers_are_the_models(self) -> None:
        if not hasattr(self, "queue"):
            return
        cursors = self.run(self.queue.cursors())
        assert cursors == [self.model.readers[name].row(name) for name in sorted(self.model.readers)]
        for each in cursors:
            assert each.delivered + each.dead + each.filtered + each.retrying == each.next_offset - each.start_offset
        letters = self.run(self.queue.letters(None, None, 0, EVERYTHING))
        assert [(each.id, each.destination, each.offset, each.state) for each in letters] == [
            (key, *self.model.letters[key][:3]) for key in sorted(self.model.letters)
        ]


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
