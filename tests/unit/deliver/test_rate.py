"""Rate limits: the average holds whatever the sizes of the sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.rate import SendRate, TokenBucket
from gateway.destinations.console import ConsoleSettings


@given(st.floats(0.1, 1000), st.lists(st.integers(1, 500), min_size=1, max_size=50))
def test_no_more_is_sent_than_the_rate_and_one_burst_allow(per_second: float, amounts: list[int]):
    bucket, now_s, sent = TokenBucket(per_second), 100.0, 0
    for amount in amounts:
        now_s += bucket.wait_s(now_s) * (1 + 1e-9) + 1e-9
        assert sent <= max(1.0, per_second) + (now_s - 100.0) * per_second + 1e-6
        bucket.spend(now_s, amount)
        sent += amount


def test_a_batch_larger_than_a_seconds_worth_still_goes_and_is_paid_for_by_the_next():
    bucket = TokenBucket(per_second=10)

    assert bucket.wait_s(0.0) == 0
    bucket.spend(0.0, 100)

    assert bucket.wait_s(0.0) == pytest.approx(9.1)
    assert bucket.wait_s(9.1) == pytest.approx(0)


def test_zero_means_no_limit():
    bucket = TokenBucket(per_second=0)
    bucket.spend(0.0, 10**9)

    assert bucket.wait_s(0.0) == 0


def test_of_two_limits_the_tighter_one_holds():
    rate = SendRate(ConsoleSettings(events_per_second=1000, requests_per_second=2))

    rate.spend(0.0, events=10)
    rate.spend(0.0, events=10)

    assert rate.wait_s(0.0) == pytest.approx(0.5)
