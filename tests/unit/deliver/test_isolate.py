"""A refused batch is asked again by halves until the culprits stand alone."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.isolate import isolate
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry


class Peer:
    """Refuses a request that holds a poison number, as APIs without per-item errors do."""

    def __init__(self, poison: set[int]) -> None:
        self.poison = poison
        self.requests: list[list[int]] = []

    async def send(self, items: Sequence[int]) -> Outcome:
        self.requests.append(list(items))
        return Reject("HTTP 400") if self.poison & set(items) else Delivered()


@given(st.integers(1, 60).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1)))))
async def test_exactly_the_poison_events_are_rejected(case: tuple[int, set[int]]):
    size, poison = case
    peer, items = Peer(poison), list(range(size))

    verdicts = await isolate(items, await peer.send(items), peer.send)

    assert [isinstance(verdict, Reject) for verdict in verdicts] == [item in poison for item in items]


async def test_one_poison_event_of_a_hundred_is_found_in_a_logarithmic_number_of_requests():
    peer, items = Peer({61}), list(range(100))

    await isolate(items, await peer.send(items), peer.send)

    assert len(peer.requests) <= 1 + 2 * math.ceil(math.log2(100))


@pytest.mark.parametrize("outcome", [Delivered(), Retry("HTTP 503"), Halt("HTTP 401")])
async def test_an_answer_to_the_whole_request_is_every_events(outcome: Delivered | Retry | Halt):
    peer = Peer(set())

    assert await isolate([1, 2, 3], outcome, peer.send) == [outcome] * 3
    assert peer.requests == []


async def test_an_answer_for_each_event_is_taken_as_it_is():
    answers = (Delivered(), Reject("bad"), Retry("busy"))

    assert await isolate([1, 2, 3], Partial(answers), Peer(set()).send) == list(answers)


async def test_the_second_half_is_not_sent_while_the_first_must_be_sent_again():
    sent: list[list[int]] = []

    async def send(items: Sequence[int]) -> Outcome:
        sent.append(list(items))
        return Retry("HTTP 503")

    verdicts = await isolate([1, 2, 3, 4], Reject("HTTP 400"), send)

    assert sent == [[1, 2]]
    assert verdicts == [Retry("HTTP 503")] * 4


async def test_an_answer_for_fewer_events_than_were_sent_is_a_fault():
    with pytest.raises(AssertionError):
        await isolate([1, 2], Partial([Delivered()]), Peer(set()).send)
