"""Events without a user wait for one, for a bounded time and in bounded room."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.decode import canonical_event
from gateway.deliver.hold import Hold, HoldLimits, Released, Seen, look_at
from gateway.model.envelope import Envelope, Stored

HOLD_MS = 1000


def seen(offset: int, device: str = "", user: str = "", at_ms: int = 0, happened_ms: int | None = None) -> Seen:
    """An event that was received at `at_ms`, and happened then unless said otherwise."""
    stored = Stored(offset, b"x" * 100, Envelope("web", at_ms))
    return Seen(stored, device, user, at_ms if happened_ms is None else happened_ms)


def hold_of(*events: Seen, now_ms: int = 0, **limits: int) -> Hold:
    hold = Hold(HOLD_MS, HoldLimits(**limits))
    for event in events:
        hold.take(event, now_ms)
        hold.read_up_to(event.stored.offset + 1)
    return hold


def taken(hold: Hold) -> list[tuple[int, str]]:
    """(offset, user that is given) of what is ready."""
    released = [(released.stored.offset, released.user_id) for released in hold.ready]
    hold.ready.clear()
    return released


def test_an_event_without_a_user_waits_and_leaves_without_one_when_its_time_is_over():
    hold = hold_of(seen(1, "laptop", at_ms=50), now_ms=60)
    assert taken(hold) == []
    assert hold.wait_s(60) == 0.99

    hold.release_due(1049)
    assert taken(hold) == []
    hold.release_due(1050)

    assert taken(hold) == [(1, "")]
    assert hold.wait_s(1050) is None
    assert hold.bytes == 0


def test_what_waits_leaves_before_the_event_that_brings_the_user_as_the_users():
    hold = hold_of(seen(1, "laptop"), seen(2, "phone"), seen(3, "laptop"), seen(4, "laptop", "ann"))

    assert taken(hold) == [(1, "ann"), (3, "ann"), (4, "")]
    assert len(hold) == 1


def test_an_event_with_a_user_is_not_delayed():
    hold = hold_of(seen(1, "laptop"), seen(2, "phone", "bob"), seen(3, "", "cy"))

    assert taken(hold) == [(2, ""), (3, "")]


def test_after_a_user_was_seen_the_device_waits_no_more():
    hold = hold_of(seen(1, "laptop", "ann"), seen(2, "laptop", at_ms=HOLD_MS))

    assert taken(hold) == [(1, ""), (2, "ann")]


def test_a_while_after_the_user_was_seen_the_device_waits_again():
    hold = hold_of(seen(1, "laptop", "ann"))
    hold.take(seen(2, "laptop", at_ms=HOLD_MS + 1), HOLD_MS + 1)

    assert taken(hold) == [(1, "")]


def test_two_users_of_a_device_each_have_what_came_after_them_and_the_first_what_came_before():
    hold = hold_of(
        seen(1, "tablet", at_ms=1),
        seen(2, "tablet", "ann", at_ms=2),
        seen(3, "tablet", at_ms=3),
        seen(4, "tablet", "bob", at_ms=4),
        seen(5, "tablet", at_ms=5),
        seen(6, "tablet", at_ms=6, happened_ms=3),
        now_ms=6,
    )

    assert taken(hold) == [(1, "ann"), (2, ""), (3, "ann"), (4, ""), (5, "bob"), (6, "ann")]


def test_a_backlog_goes_at_once_and_takes_along_what_the_device_held():
    hold = hold_of(seen(1, "laptop", at_ms=5000), now_ms=5000)

    hold.take(seen(2, "laptop", at_ms=3999), 5000)

    assert taken(hold) == [(1, ""), (2, "")]


def test_a_backlog_joins_the_user_who_was_seen():
    assert taken(hold_of(seen(1, "laptop", "ann"), seen(2, "laptop"), now_ms=10_000)) == [(1, ""), (2, "ann")]


def test_a_clock_that_was_set_back_a_day_holds_nothing_for_a_day():
    hold = hold_of(seen(1, "laptop", at_ms=86_400_000), now_ms=86_400_000)

    hold.release_due(0)

    assert taken(hold) == [(1, "")]


@pytest.mark.parametrize("limits", [{"max_events": 3}, {"max_bytes": 300}])
def test_in_a_full_window_the_oldest_leave_early_and_say_so(limits: dict[str, int]):
    hold = hold_of(*(seen(offset, f"d{offset}") for offset in range(5)), **limits)

    assert list(hold.ready) == [
        Released(seen(0).stored, is_early=True),
        Released(seen(1).stored, is_early=True),
    ]
    assert len(hold) == 3


def test_events_of_known_users_fill_the_window_too():
    hold = hold_of(seen(0, "laptop"), *(seen(offset, "", "ann") for offset in range(1, 5)), max_events=3)

    assert taken(hold) == [(1, ""), (2, ""), (3, ""), (0, ""), (4, "")]


def test_without_a_hold_everything_goes_on():
    hold = Hold(0, HoldLimits())

    hold.pass_by(seen(1, "laptop").stored)
    hold.pass_by(seen(2, "laptop", "ann").stored)

    assert taken(hold) == [(1, ""), (2, "")]


def looked_at(**event: Any) -> tuple[str, str]:
    raw = orjson.dumps({"messageId": "m", "type": "track", **event})
    found = look_at(Stored(7, raw, Envelope("web", 5000)), canonical_event)
    return found.anonymous_id, found.user_id


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        ({"anonymousId": "a"}, ("a", "")),
        ({"anonymousId": "a", "userId": ""}, ("a", "")),
        ({"anonymousId": "a", "userId": None}, ("a", "")),
        ({"anonymousId": "a", "userId": "u"}, ("a", "u")),
        ({"userId": "u"}, ("", "")),
        ({"anonymousId": "00000000-0000-0000-0000-000000000000"}, ("", "")),
        ({"anonymousId": "undefined", "userId": "u"}, ("", "")),
        ({"anonymousId": "a", "userId": "null"}, ("", "")),
        ({"anonymousId": 7, "userId": ["u"]}, ("", "")),
        ({"anonymousId": "a", "userId": {"id": 1}}, ("", "")),
    ],
)
def test_who_an_event_names(event: dict[str, Any], ids: tuple[str, str]):
    assert looked_at(**event) == ids


def test_what_cannot_be_decoded_names_nobody():
    stored = Stored(7, b"{not json", Envelope("web", 0))

    assert look_at(stored, canonical_event) == Seen(stored)


def test_an_event_counts_from_its_own_corrected_time():
    raw = b'{"messageId":"m","type":"track","anonymousId":"a","timestamp":"1970-01-01T00:00:02.500Z"}'

    assert look_at(Stored(7, raw, Envelope("web", 5000)), canonical_event).happened_at_ms == 2500


logs = st.lists(
    st.tuples(st.sampled_from(("", "x", "y", "z")), st.sampled_from(("", "", "ann", "bob")), st.integers(-300, 700)),
    max_size=60,
)


@given(logs, st.integers(1, 30), st.integers(100, 3000), st.lists(st.booleans(), min_size=60, max_size=60))
def test_whatever_comes_nothing_is_lost_doubled_delayed_or_overtaken(
    log: Sequence[tuple[str, str, int]], max_events: int, max_bytes: int, timers: Sequence[bool]
):
    hold = Hold(HOLD_MS, HoldLimits(max_events=max_events, max_bytes=max_bytes))
    now_ms, events, released = 10_000, [], []
    for offset, (device, user, step_ms) in enumerate(log):
        now_ms += abs(step_ms)
        events.append(seen(offset, device, user, now_ms + min(step_ms, 0)))
        if timers[offset]:
            hold.release_due(now_ms)
        hold.take(events[-1], now_ms)
        hold.read_up_to(offset + 1)
        released += hold.ready
        hold.ready.clear()
        held = set(range(offset + 1)) - {each.stored.offset for each in released}
        assert not any(events[each].user_id or not events[each].anonymous_id for each in held)
        assert all(offset + 1 - each <= max_events for each in held)
        assert hold.bytes == 100 * len(held) <= max_bytes
    hold.release_due(now_ms + HOLD_MS)
    released += hold.ready

    assert sorted(each.stored.offset for each in released) == list(range(len(log)))
    for device in "xyz":
        left = [each.stored.offset for each in released if events[each.stored.offset].anonymous_id == device]
        assert left == sorted(left)
    for each in released:
        assert_given_rightly(each, events)


def assert_given_rightly(released: Released, events: Sequence[Seen]) -> None:
    """A user is given only to who has none, and only one who was on the same device."""
    event = events[released.stored.offset]
    users = {other.user_id for other in events if other.anonymous_id == event.anonymous_id and other.user_id}
    assert not released.user_id or (not event.user_id and event.anonymous_id and released.user_id in users)


@given(logs)
def test_within_the_time_and_the_room_each_event_joins_the_user_whom_the_whole_log_names(
    log: Sequence[tuple[str, str, int]],
):
    events = [seen(offset, device, user, offset) for offset, (device, user, _) in enumerate(log)]
    hold = hold_of(*events, now_ms=len(log))
    hold.release_due(HOLD_MS * 2)

    given_users = {released.stored.offset: released.user_id for released in hold.ready}

    assert given_users == {event.stored.offset: expected_user(event, events) for event in events}


def expected_user(event: Seen, events: Sequence[Seen]) -> str:
    """The latest user of the device before the event, or else the first after it."""
    if event.user_id or not event.anonymous_id:
        return ""
    users = [(other.stored.offset, other.user_id) for other in events if other.anonymous_id == event.anonymous_id]
    before = [user for offset, user in users if user and offset < event.stored.offset]
    after = [user for offset, user in users if user and offset > event.stored.offset]
    return before[-1] if before else after[0] if after else ""
