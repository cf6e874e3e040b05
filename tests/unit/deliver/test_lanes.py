"""Order per person, everybody else in parallel."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.lanes import Item, Lanes, Parcel, ParcelLimits

MakeItem = Callable[..., Item]


def offsets(parcel: Parcel | None) -> list[int]:
    return [item.stored.offset for item in parcel.items] if parcel else []


def lanes_of(*items: Item, max_events: int = 1, max_bytes: int = 1000, max_wait_s: float = 0) -> Lanes:
    lanes = Lanes(ParcelLimits(max_events, max_bytes, max_wait_s), window_events=1000)
    for item in items:
        lanes.add(item)
    return lanes


def test_a_person_who_is_being_sent_waits_and_others_go_on(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(2, "ada"), make_item(3, "bob"))

    first = lanes.next_parcel(0.0)

    assert offsets(first) == [1]
    assert offsets(lanes.next_parcel(0.0)) == [3]
    assert lanes.next_parcel(0.0) is None
    lanes.settled(first.items)
    assert offsets(lanes.next_parcel(0.0)) == [2]


def test_a_person_whose_event_is_tried_again_holds_only_their_own_later_events(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(2, "bob"), make_item(3, "ada"))
    first = lanes.next_parcel(0.0)

    lanes.hold(first, not_before_s=5.0)

    assert offsets(lanes.next_parcel(0.0)) == [2]
    assert lanes.next_parcel(4.9) is None
    assert lanes.wait_s(0.0) == 5.0
    assert lanes.next_parcel(5.0) == first


def test_several_events_of_a_person_may_share_a_request_in_their_order(make_item: MakeItem):
    lanes = lanes_of(*(make_item(offset, "ada") for offset in range(5)), max_events=3)

    assert offsets(lanes.next_parcel(0.0)) == [0, 1, 2]
    assert lanes.next_parcel(0.0) is None


def test_a_kind_of_request_may_hold_fewer_events_than_others(make_item: MakeItem):
    limits = ParcelLimits(3, 1000, events_of=lambda key: {"few": 1}.get(key, 3))
    lanes = Lanes(limits, window_events=1000)
    for offset, key in enumerate(("few", "few", "many", "many")):
        lanes.add(make_item(offset, f"person-{offset}", key=key))

    assert [offsets(lanes.next_parcel(0.0)) for _ in range(3)] == [[0], [1], [2, 3]]


def test_parts_of_one_event_that_go_by_different_requests_go_one_after_the_other(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada", key="profile"), make_item(1, "ada", key="event"), max_events=10)

    first = lanes.next_parcel(0.0)

    assert [item.payload.key for item in first.items] == ["profile"]
    assert lanes.next_parcel(0.0) is None
    lanes.settled(first.items)
    assert [item.payload.key for item in lanes.next_parcel(0.0).items] == ["event"]


def test_parts_of_one_event_may_be_different_peoples(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(1, "bob"), max_events=10)

    assert offsets(lanes.next_parcel(0.0)) == [1, 1]


def test_the_oldest_event_that_may_go_goes_first(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(2, "ada"), make_item(3, "bob"), make_item(4, "cy"))
    first = lanes.next_parcel(0.0)

    lanes.settled(first.items)

    assert offsets(lanes.next_parcel(0.0)) == [2]


def test_a_request_holds_no_more_bytes_than_allowed_and_at_least_one_event(make_item: MakeItem):
    bodies = [b"x" * 40, b"x" * 50, b"x" * 300, b"x" * 10]
    items = [make_item(offset, f"p{offset}", body=body) for offset, body in enumerate(bodies)]
    lanes = lanes_of(*items, max_events=10, max_bytes=100)

    assert [offsets(lanes.next_parcel(0.0)) for _ in range(3)] == [[0, 1], [2], [3]]


def test_only_events_of_one_kind_of_request_go_together(make_item: MakeItem):
    items = [make_item(1, "ada", "a"), make_item(2, "ada", "b"), make_item(3, "ada", "a"), make_item(4, "bob", "a")]
    lanes = lanes_of(*items, max_events=10)

    assert offsets(lanes.next_parcel(0.0)) == [1, 4]


def test_a_request_waits_for_company_until_it_is_full_or_the_time_is_up(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada", read_at_s=10.0), max_events=2, max_wait_s=3.0)

    assert lanes.next_parcel(12.9) is None
    assert lanes.wait_s(12.0) == 1.0
    assert offsets(lanes.next_parcel(13.0)) == [1]

    lanes.add(make_item(2, "bob", read_at_s=13.0))
    lanes.add(make_item(3, "cy", read_at_s=13.0))
    assert offsets(lanes.next_parcel(13.0)) == [2, 3]


def test_a_probe_prefers_events_that_never_failed_then_those_that_failed_least(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(2, "bob"), make_item(3, "cy"))
    first, second = lanes.next_parcel(0.0), lanes.next_parcel(0.0)
    lanes.hold(Parcel(first.items, attempts=5), not_before_s=0.0)
    lanes.hold(Parcel(second.items, attempts=2), not_before_s=0.0)

    probes = [lanes.next_parcel(0.0, fresh_first=True) for _ in range(3)]

    assert [offsets(probe) for probe in probes] == [[3], [2], [1]]


def test_a_hot_person_goes_out_of_order_and_is_counted_and_others_keep_theirs(make_item: MakeItem):
    lanes = Lanes(ParcelLimits(1, 1000), window_events=500)
    hot = [lanes.add(make_item(offset, "script", received_at_ms=offset)) for offset in range(200)]
    cold = [lanes.add(make_item(200 + step, "ada", received_at_ms=step)) for step in range(3)]

    at_once = list(iter(lambda: lanes.next_parcel(0.0), None))

    assert hot.count(True) == 100
    assert cold == [False] * 3
    assert len(at_once) == 1 + 100 + 1


def test_many_events_of_a_person_over_a_long_time_are_no_hot_lane(make_item: MakeItem):
    lanes = Lanes(ParcelLimits(1, 1000), window_events=500)

    assert not any(lanes.add(make_item(offset, "ada", received_at_ms=offset * 1000)) for offset in range(200))


def test_many_events_that_were_held_are_no_hot_lane_either_behind_a_later_one_of_their_person(make_item: MakeItem):
    lanes = Lanes(ParcelLimits(1, 1000), window_events=500)
    lanes.add(make_item(1000, "ada", received_at_ms=1_000_000))

    assert not any(lanes.add(make_item(offset, "ada", received_at_ms=offset * 1000)) for offset in range(200))


def test_stuck_means_that_only_parcels_waiting_for_another_try_are_left(make_item: MakeItem):
    lanes = lanes_of(make_item(1, "ada"), make_item(2, "ada"))
    assert not lanes.is_stuck
    parcel = lanes.next_parcel(0.0)
    lanes.hold(parcel, 9.0)
    assert lanes.is_stuck

    assert lanes.take_waiting() == [parcel]
    lanes.settled(parcel.items)

    assert not lanes.is_stuck


events = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(("", "other")), st.integers(1, 60)), min_size=1, max_size=60
)


@pytest.mark.parametrize("failure_rate", [0.1, 0.6])
@given(events, st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32))
def test_whatever_fails_nobodys_later_event_overtakes_an_earlier_one(
    make_item: MakeItem,
    failure_rate: float,
    log: list[tuple[str, str, int]],
    in_flight: int,
    max_events: int,
    seed: int,
):
    rng, now_s = random.Random(seed), 0.0
    lanes = Lanes(ParcelLimits(max_events, max_bytes=100), window_events=1000)
    waiting_for = {person: [o for o, event in enumerate(log) if event[0] == person] for person in "abcd"}
    unread = [make_item(offset, person, key, b"x" * size) for offset, (person, key, size) in enumerate(log)]
    flying: list[Parcel] = []
    while unread or flying or any(waiting_for.values()):
        if unread and rng.random() < 0.5:
            lanes.add(unread.pop(0))
        parcel = lanes.next_parcel(now_s, fresh_first=rng.random() < 0.3) if len(flying) < in_flight else None
        if parcel:
            assert_in_order(parcel, waiting_for)
            assert len(parcel.items) <= max_events
            assert len({item.payload.key for item in parcel.items}) == 1
            flying.append(parcel)
        elif flying:
            answered = flying.pop(rng.randrange(len(flying)))
            rest = [item for item in answered.items if rng.random() < failure_rate]
            done = [item for item in answered.items if item not in rest]
            lanes.settled(done, rest)
            for item in done:
                waiting_for[item.lane].remove(item.stored.offset)
            if rest:
                lanes.hold(Parcel(rest, answered.attempts + 1), now_s + rng.random() * 3)
        now_s += rng.random()

    assert lanes.bytes == 0
    assert lanes.wait_s(now_s) is None


def assert_in_order(parcel: Parcel, waiting_for: dict[str, list[int]]) -> None:
    """Of each person the parcel holds events in order, and none while an earlier one elsewhere has no outcome."""
    for person, without_outcome in waiting_for.items():
        sent = [item.stored.offset for item in parcel.items if item.lane == person]
        assert sent == without_outcome[: len(sent)]
