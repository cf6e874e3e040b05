"""A person is taken out of the queue: what is theirs is gone from every file, and what is of others is as it was."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
import zstandard

from gateway.govern import Belonging
from gateway.model.clock import ManualClock
from gateway.model.envelope import Envelope, Stored
from gateway.model.person import USER_ID, Identifier, Known, Tenure
from gateway.queue import Job, Letter, Mentions, Progress, Queue, Rejected, RetryState, Subject, Traces, reading
from gateway.queue.database import Database
from gateway.queue.tombstones import TOMBSTONE

from .conftest import OpenQueue

USER, DEVICE, EMAIL, SECRET = "ada-4711", "ada-device-4711", "ada.4711@shop.example", "ada-reads-this"
ADA = Known("p-ada", frozenset([USER]), [Tenure(DEVICE, Identifier(USER_ID, USER))], [Identifier("email", EMAIL)])
TRACES = Traces(Belonging(ADA), Mentions(ADA))
WORDS = [word.encode() for word in (USER, DEVICE, EMAIL, SECRET)]
MAGIC = b"\x28\xb5\x2f\xfd"
WAYS = pytest.mark.parametrize("whole_bytes", [0, 2**40], ids=["table by table", "as a whole"])


def of_ada(number: int, **more: Any) -> bytes:
    return orjson.dumps(
        {"type": "track", "messageId": f"a{number}", "event": SECRET, "userId": USER, "anonymousId": DEVICE, **more}
    )


def of_other(number: int) -> bytes:
    event = {"type": "track", "messageId": f"o{number}", "event": "Viewed", "userId": f"other-{number}"}
    return orjson.dumps(event | {"properties": {"words": [number * 7919 % each for each in range(2, 40)]}})


@asynccontextmanager
async def at_work(queue: Queue) -> AsyncIterator[Queue]:
    writer = asyncio.get_running_loop().create_task(queue.run())
    try:
        yield queue
    finally:
        writer.cancel()
        with suppress(asyncio.CancelledError):
            await writer


async def put(queue: Queue, clock: ManualClock, *raws: bytes) -> None:
    ids = [orjson.loads(raw)["messageId"] for raw in raws]
    await queue.submit(Envelope("web", clock.now_ms(), None, "192.0.2.7", "Ada's browser"), ids, raws)


async def erase(queue: Queue, clock: ManualClock, whole_bytes: int = 2**40) -> Job:
    """All steps of the queue, as the daemon takes them."""
    eraser = queue.eraser
    eraser.whole_bytes = whole_bytes
    job = await eraser.suppress(await eraser.open(EMAIL, 1), Subject(EMAIL, ADA))
    job = await eraser.begin(job, await eraser.fence())
    while job.step == "chunks":
        job = await eraser.erase_chunks(job, TRACES.belongs)
    job = await eraser.erase_between(job, TRACES)
    while job.step == "letters":
        job = await eraser.erase_letters(job, TRACES)
    job = await eraser.erase_rejects(job, TRACES)
    return await eraser.wipe(job, clock.now_ms())


async def stored(queue: Queue) -> list[Stored]:
    found: list[Stored] = []
    offset = queue.first_offset
    while offset < queue.head_offset:
        for batch in await queue.read(offset, 1000, 2**20):
            found += batch
            offset = batch.next_offset
    return found


def written(directory: Path) -> bytes:
    """All bytes of all files, and what each beginning of a zstd frame in them gives, whole or torn."""
    raw = b"\0".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())
    parts, at = [raw], raw.find(MAGIC)
    while at >= 0:
        inflater = zstandard.ZstdDecompressor().decompressobj()
        for start in range(at, min(at + 2**16, len(raw)), 256):
            with suppress(zstandard.ZstdError):
                parts.append(inflater.decompress(raw[start : start + 256]))
                continue
            break
        at = raw.find(MAGIC, at + 1)
    return b"\0".join(parts)


def traces_in(directory: Path) -> list[bytes]:
    content = written(directory)
    return [word for word in WORDS if word in content]


def letter(number: int, raw: bytes, state: Any, error: str) -> Letter:
    envelope = msgspec.msgpack.encode(Envelope("web", 1, None, "192.0.2.7", "Ada's browser"))
    return Letter("hook", number, f"m{number}", "web", 1, raw, envelope, state, "rejected", error, 1, 1, 1)


async def churn(queue: Queue, clock: ManualClock, rng: random.Random) -> None:
    """A queue that has lived: letters that grew and went, refusals that came, chunks that were removed."""
    for commit in range(60):
        raws = [of_ada(commit) if commit % 3 == 0 and at == 2 else of_other(commit * 10 + at) for at in range(5)]
        await put(queue, clock, *raws)
    events = await stored(queue)
    await queue.register("hook")
    letters = [letter(each.offset, each.raw, rng.choice(["retry", "dead"]), "e") for each in events]
    await queue.record("hook", Progress(len(events), letters=letters))
    kept = await queue.letters("hook", None, 0, 1000)
    for each in rng.sample(kept, 200):
        quoted = SECRET if b"ada-4711" in each.event else "refused"
        await queue.postpone_letter(each.id, 2, 3, quoted + " " + "x" * rng.randrange(900))
    for each in rng.sample(kept, 120):
        if b"ada-4711" not in each.event:
            await queue.settle_letter(each.id)
    retry = RetryState(3, 4, 5, f"400: no such user {USER}")
    await queue.set_retry("hook", retry)
    for number in range(300):
        body = of_ada(number) if number % 7 == 0 else of_other(number)
        queue.note_rejected(Rejected(clock.now_ms(), "web", "invalid", "detail", "192.0.2.7", body))


@WAYS
async def test_nothing_is_left_in_any_file_and_others_are_untouched(
    open_at: OpenQueue, clock: ManualClock, tmp_path: Path, whole_bytes: int
):
    async with open_at() as queue, at_work(queue):
        await churn(queue, clock, random.Random(1))
        before = await stored(queue)
        rejected = await queue.rejected(1000)
        await queue.maintain()
        assert traces_in(tmp_path) == WORDS[:2] + WORDS[3:], "the search finds what is there"

        job = await erase(queue, clock, whole_bytes)

        assert traces_in(tmp_path) == [], "while the daemon runs"
        after = await stored(queue)
        assert [each.offset for each in after] == [each.offset for each in before]
        others = [each for each in before if b"ada-4711" not in each.raw]
        assert [each for each in after if not each.envelope.is_tombstone] == others
        assert {each.raw for each in after if each.envelope.is_tombstone} == {TOMBSTONE}
        assert job.report.events == len(before) - len(others) == 20
        assert job.report.letters == 20
        assert job.report.rejects == 43
        assert len(await queue.rejected(1000)) == len(rejected) - 43
        assert not [each for each in await queue.letters("hook", None, 0, 1000) if b"ada" in each.event]
        assert job.subject is None
        assert (await queue.eraser.jobs())[-1] == job
    assert traces_in(tmp_path) == [], "after the daemon has ended"
    async with open_at() as queue:
        assert await stored(queue) == after


async def test_the_ledger_adds_up_when_letters_go(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        await put(queue, clock, of_ada(1), of_ada(2), of_other(3))
        await queue.register("hook")
        letters = [
            letter(0, of_ada(1), "retry", ""),
            letter(1, of_ada(2), "dead", ""),
            letter(2, of_other(3), "dead", ""),
        ]
        await queue.record("hook", Progress(3, letters=letters))

        await erase(queue, clock)

        (cursor,) = await queue.cursors()
        assert (cursor.dead, cursor.retrying, cursor.filtered, cursor.delivered) == (2, 0, 1, 0)
        assert [each.message_id for each in await queue.letters(None, None, 0, 10)] == ["m2"]


async def test_readers_find_the_tombstones_at_once_though_the_chunk_was_cached(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        await put(queue, clock, of_other(1), of_ada(2), of_other(3))
        assert [each.raw for each in await stored(queue)][1] == of_ada(2)

        await erase(queue, clock)

        assert [each.raw for each in await stored(queue)] == [of_other(1), TOMBSTONE, of_other(3)]
        assert queue.tombstones_until == 3


async def test_a_chunk_that_was_being_read_while_it_changed_is_not_cached(
    open_at: OpenQueue, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    began, may_end, real = threading.Event(), threading.Event(), reading._read_whole

    def slow(*arguments: Any) -> Any:
        began.set()
        assert may_end.wait(30)
        return real(*arguments)

    async with open_at() as queue, at_work(queue):
        await put(queue, clock, *[of_ada(number, blob="x" * 1000) for number in range(200)])
    async with open_at() as queue, at_work(queue):
        with monkeypatch.context() as slowness:
            slowness.setattr(reading, "_read_whole", slow)
            reader = asyncio.ensure_future(queue.read(0, 1000, 2**30))
            await asyncio.to_thread(began.wait)
            await erase(queue, clock)
            may_end.set()
            await reader

        assert {each.raw for each in await stored(queue)} == {TOMBSTONE}


async def test_events_that_come_meanwhile_are_stored(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        for number in range(50):
            await put(queue, clock, of_other(number), of_ada(number))

        async def go_on() -> None:
            for number in range(100, 200):
                await put(queue, clock, of_other(number))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(go_on())
            await erase(queue, clock)

        kept = [each.raw for each in await stored(queue) if not each.envelope.is_tombstone]
        assert kept == [of_other(number) for number in (*range(50), *range(100, 200))]


async def test_what_waits_for_a_commit_when_the_order_comes_does_not_slip_through(
    open_at: OpenQueue, clock: ManualClock
):
    async with open_at() as queue, at_work(queue):
        waiting = queue.submit(Envelope("web", clock.now_ms()), ["a1"], [of_ada(1)])
        assert not waiting.done()

        await erase(queue, clock)

        assert [each.raw for each in await stored(queue)] == [TOMBSTONE]


async def test_the_fence_is_behind_all_that_was_submitted(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        queue.submit(Envelope("web", clock.now_ms()), ["a1"], [of_ada(1)])

        assert await queue.eraser.fence() == 1


async def test_the_suppression_list_and_the_order_survive_a_restart(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        job = await queue.eraser.suppress(await queue.eraser.open(EMAIL, 7), Subject(EMAIL, ADA, {"dw": ADA}))
    async with open_at() as queue:
        assert queue.suppression.holds([USER], None)
        assert queue.suppression.holds([], DEVICE)
        assert not queue.suppression.holds([DEVICE], USER)
        (again,) = await queue.eraser.jobs()
        assert again == job
        assert again.subject == Subject(EMAIL, ADA, {"dw": ADA})


async def test_an_order_that_was_given_twice_is_one(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        first, second = await queue.eraser.open(EMAIL, 1), await queue.eraser.open(EMAIL, 2)
        assert first == second
        await erase(queue, clock)
        assert (await queue.eraser.open(EMAIL, 3)).id != first.id


def cut_off(directory: Path) -> None:
    """The last page of the database is missing."""
    path = directory / "queue" / "queue.db"
    path.write_bytes(path.read_bytes()[:-4096])


async def test_orders_and_the_list_outlive_a_damaged_database_whose_remains_go_too(
    open_at: OpenQueue, clock: ManualClock, tmp_path: Path
):
    async with open_at() as queue, at_work(queue):
        job = await queue.eraser.suppress(await queue.eraser.open(EMAIL, 7), Subject(EMAIL, ADA))
        await queue.eraser.save(job.at("letters"))
        await put(queue, clock, *[of_ada(number) for number in range(30)])
        await put(
            queue, clock, of_other(1), *[of_ada(number, noise=random.randbytes(900).hex()) for number in range(30, 40)]
        )
    cut_off(tmp_path)

    async with open_at() as queue, at_work(queue):
        assert list(tmp_path.glob("queue/damaged-*")), "it was set aside"
        assert queue.suppression.holds([USER], None)
        (found,) = [each for each in await queue.eraser.jobs() if each.id == job.id]
        assert (found.step, found.position) == ("chunks", 0), "what it had erased may have come back"
        await queue.maintain()

        done = await erase(queue, clock)

        assert done.report.damaged == 1
        assert traces_in(tmp_path) == []
        assert not list(tmp_path.glob("queue/damaged-*"))


async def test_the_list_outlives_a_database_of_which_nothing_is_readable(
    open_at: OpenQueue, clock: ManualClock, tmp_path: Path
):
    async with open_at() as queue, at_work(queue):
        await erase(queue, clock)
    (tmp_path / "queue" / "queue.db").write_bytes(b"no database here" * 1000)

    async with open_at() as queue:
        assert queue.suppression.holds([USER], None)
        assert await queue.eraser.jobs() == []


async def test_a_damage_while_the_daemon_runs_keeps_the_list(open_at: OpenQueue, clock: ManualClock, tmp_path: Path):
    async with open_at() as queue, at_work(queue):
        await put(queue, clock, of_other(1))
        await erase(queue, clock)
        database: Database = queue.database
        queue._store.report_damage()
        await put(queue, clock, of_other(2))

        assert queue.database is not database
        assert queue.suppression.holds([USER], None)
        assert queue.tombstones_until >= 1


@pytest.mark.parametrize("retained", [True, False])
async def test_the_persons_share_is_found_for_an_export(open_at: OpenQueue, clock: ManualClock, *, retained: bool):
    async with open_at() as queue, at_work(queue):
        await put(queue, clock, of_other(1), of_ada(2))
        queue.note_rejected(Rejected(clock.now_ms(), "web", "invalid", "", "", b"{" + EMAIL.upper().encode()))
        if retained:
            await queue.maintain()

        assert [each.raw for each in await queue.eraser.events(TRACES.belongs)] == [of_ada(2)]
        assert len(await queue.eraser.rejects(TRACES.mentions)) == 1


def sizes(chunks: Sequence[bytes]) -> list[int]:
    return [len(each) for each in chunks]


async def test_a_chunk_is_written_over_in_its_place(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue, at_work(queue):
        await put(queue, clock, *[of_ada(number) if number % 2 else of_other(number) for number in range(500)])
        before = await bodies(queue)
        await erase(queue, clock, whole_bytes=0)
        after = await bodies(queue)

        assert sizes(after) == sizes(before)
        assert after != before


async def bodies(queue: Queue) -> list[bytes]:
    rows = await queue.database.run(lambda connection: connection.execute("SELECT body FROM chunks").fetchall())
    return [body for (body,) in rows]
