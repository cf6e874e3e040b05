"""How long what failed is tried, and how long others wait for it."""

import pytest

from gateway.config import RetrySettings
from gateway.deliver.breaker import Breaker, Moment
from gateway.deliver.failures import is_past_horizon, order_wait_left_s, works_for_others
from gateway.deliver.lanes import Parcel
from gateway.model.envelope import Envelope, Stored

HOUR_MS = 3_600_000
POLICY = RetrySettings(horizon=24 * 3600, order_wait=60)


def event(received_at_ms: int) -> Stored:
    return Stored(1, b"{}", Envelope("web", received_at_ms))


def down_since(since_ms: int, *, paused: bool = False) -> Breaker:
    return Breaker().opened(Moment(0.0, since_ms), 1.0, "HTTP 503", paused=paused)


@pytest.mark.parametrize(("hours", "past"), [(23, False), (24, False), (25, True)])
def test_an_event_of_its_own_is_tried_for_the_horizon_from_its_first_failure(hours: int, past: bool):
    now_ms = (100 + hours) * HOUR_MS

    assert is_past_horizon(event(0), 100 * HOUR_MS, Breaker(), POLICY, now_ms) is past


def test_in_an_outage_the_horizon_counts_from_its_beginning_so_that_a_restart_changes_nothing():
    first_failure_after_restart_ms = 130 * HOUR_MS

    assert is_past_horizon(
        event(0), first_failure_after_restart_ms, down_since(100 * HOUR_MS), POLICY, first_failure_after_restart_ms
    )


def test_an_event_that_came_late_in_an_outage_has_its_own_full_horizon():
    assert not is_past_horizon(event(120 * HOUR_MS), 125 * HOUR_MS, down_since(100 * HOUR_MS), POLICY, 130 * HOUR_MS)


def test_a_paused_destination_waits_for_its_owner_however_long():
    assert not is_past_horizon(event(0), 1, down_since(1, paused=True), POLICY, 10_000 * HOUR_MS)


def test_nobody_is_set_aside_while_the_destination_fails_for_everybody():
    parcel = Parcel([], attempts=9, failing_since_ms=1000)

    assert order_wait_left_s(parcel, down_since(500), POLICY, 10**9) is None
    assert order_wait_left_s(parcel, Breaker(last_success_ms=900), POLICY, 10**9) is None


@pytest.mark.parametrize(("now_ms", "left_s"), [(11_000, 50), (61_000, 0), (99_000, 0)])
def test_people_wait_for_a_failing_event_for_a_bounded_time_while_others_are_served(now_ms: int, left_s: float):
    parcel = Parcel([], attempts=3, failing_since_ms=1000)

    assert order_wait_left_s(parcel, Breaker(last_success_ms=2000), POLICY, now_ms) == left_s


def test_the_wait_starts_anew_when_an_outage_ends():
    parcel = Parcel([], attempts=30, failing_since_ms=1000)
    breaker = Breaker(last_success_ms=501_000, well_since_ms=500_000)

    assert order_wait_left_s(parcel, breaker, POLICY, 510_000) == 50


def test_a_success_before_the_failure_says_nothing():
    assert works_for_others(Breaker(last_success_ms=1001), 1000)
    assert not works_for_others(Breaker(last_success_ms=1000), 1000)
