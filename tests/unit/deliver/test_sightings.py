"""Whose a device is, by what was seen of it lately."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.sightings import MAX_STAYS, Sightings, Stay, owner_at, with_stay

MANY_BYTES = 2**20


def sightings(*noted: tuple[str, int, str, int], remember_ms: int = 1000, max_bytes: int = MANY_BYTES) -> Sightings:
    """Of (device, happened, user, received)."""
    made = Sightings(remember_ms, max_bytes)
    for device, happened_ms, user_id, received_ms in noted:
        made.note(device, Stay(happened_ms, user_id), received_ms)
    return made


def test_a_device_is_its_latest_users_and_what_came_before_all_is_the_firsts():
    seen = sightings(("tablet", 100, "ann", 100), ("tablet", 300, "bob", 300))

    owners = [seen.owner("tablet", happened_ms, 350) for happened_ms in (50, 100, 299, 300, 900)]

    assert owners == ["ann", "ann", "ann", "bob", "bob"]


def test_users_count_in_the_order_of_time_and_not_of_arrival():
    seen = sightings(("tablet", 300, "bob", 300), ("tablet", 100, "ann", 310))

    assert [seen.owner("tablet", happened_ms, 350) for happened_ms in (50, 200, 400)] == ["ann", "ann", "bob"]


def test_a_device_that_nobody_was_seen_on_is_nobodys():
    assert sightings(("tablet", 1, "ann", 1)).owner("laptop", 5, 5) is None


def test_a_user_is_forgotten_a_while_after_the_last_sighting():
    seen = sightings(("tablet", 100, "ann", 100), ("tablet", 900, "ann", 900), remember_ms=1000)

    assert seen.owner("tablet", 1900, 1900) == "ann"
    assert seen.owner("tablet", 1901, 1901) is None


def test_who_was_forgotten_does_not_come_back_with_the_next_user():
    seen = sightings(("tablet", 100, "ann", 100), ("tablet", 5000, "bob", 5000), remember_ms=1000)

    assert seen.owner("tablet", 200, 5001) == "bob"


def test_above_its_bytes_the_devices_seen_longest_ago_are_forgotten():
    seen = sightings(*((f"d{number}", number, "ann", number) for number in range(100)), max_bytes=10_000)

    known = [number for number in range(100) if seen.owner(f"d{number}", 100, 100)]

    assert 0 < len(known) < 30
    assert known == list(range(100 - len(known), 100))
    assert seen.bytes <= 10_000


def test_a_device_too_large_for_the_memory_is_not_remembered():
    assert sightings(("d" * 500, 1, "ann", 1), max_bytes=100).bytes == 0


stays = st.lists(st.builds(Stay, st.integers(0, 20), st.sampled_from("abc")), min_size=1, max_size=12)


@given(stays)
def test_the_stays_of_a_device_are_in_order_of_time_few_and_never_say_the_same_twice(seen: list[Stay]):
    known: tuple[Stay, ...] = ()
    for stay in seen:
        known = with_stay(known, stay)
        assert owner_at(known, stay.from_ms) == stay.user_id or len(known) == MAX_STAYS

    assert list(known) == sorted(known, key=lambda stay: stay.from_ms)
    assert all(one.user_id != other.user_id for one, other in pairwise(known))
    assert len(known) <= MAX_STAYS


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 50), st.sampled_from("ab"), st.integers(0, 50))))
def test_the_count_of_bytes_is_that_of_what_is_there(noted: list[tuple[str, int, str, int]]):
    seen = sightings(*noted, remember_ms=10)
    assert (seen.bytes > 0) == bool(noted)

    seen.note("last", Stay(1000, "ann"), 1000)

    assert seen.bytes == sightings(("last", 1000, "ann", 1000)).bytes
