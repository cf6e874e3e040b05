"""Long runs are read packed: the same events as `read` gives, whatever is in memory and wherever the run begins."""

import pytest

from gateway.model.clock import ManualClock
from gateway.model.envelope import Envelope, Packed
from gateway.queue import Queue
from gateway.queue.codec import PackedChunk

from .conftest import OpenQueue

COMMITS, EVENTS_A_COMMIT = 4, 25
LAST = COMMITS * EVENTS_A_COMMIT


async def fill(queue: Queue, clock: ManualClock) -> None:
    for commit in range(COMMITS):
        ids = [f"{commit}-{number}" for number in range(EVENTS_A_COMMIT)]
        stored = queue.submit(Envelope("web", clock.now_ms()), ids, [b'{"id":"%s"}' % id_.encode() for id_ in ids])
        await queue.step()
        await stored


def events(batches: list[Packed]) -> list[tuple[int, bytes]]:
    return [(stored.offset, stored.raw) for packed in batches for stored in packed.unpack()]


@pytest.mark.parametrize("offset", [0, 1, 24, 25, 60, LAST - 1])
@pytest.mark.parametrize("max_events", [1, 25, 26, 1000])
async def test_a_run_from_disk_is_packed_and_holds_the_events_asked_for(
    open_at: OpenQueue, clock: ManualClock, offset: int, max_events: int
):
    async with open_at() as queue:
        await fill(queue, clock)
    async with open_at() as reopened:
        packed = list(await reopened.read_packed(offset, max_events, 2**20))
        plain = list(await reopened.read(offset, max_events, 2**20))

    assert all(isinstance(each, PackedChunk) for each in packed)
    assert events(packed) == events(plain)
    assert (packed[0].first_offset, packed[-1].next_offset) == (offset, min(offset + max_events, LAST))
    assert [len(each) for each in packed] == [len(each.unpack()) for each in packed]


async def test_half_of_a_packed_run_is_that_half_of_its_events(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue:
        await fill(queue, clock)
    async with open_at() as reopened:
        [packed] = await reopened.read_packed(5, 10, 2**20)

    half = packed.slice(4, 7)

    assert events([half]) == events([packed])[4:7]
    assert (half.first_offset, half.next_offset) == (9, 12)


async def test_what_is_in_memory_is_not_packed_again(open_at: OpenQueue, clock: ManualClock):
    async with open_at() as queue:
        await fill(queue, clock)
        found = await queue.read_packed(0, LAST, 2**20)

    assert [each.unpack() for each in found] == list(found)
