"""When a failed send is tried again."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import RetrySettings
from gateway.deliver.backoff import PAUSED_DELAY_S, RETRY_AFTER_CAP_S, paused_delay_s, retry_delay_s

attempts = st.integers(1, 100_000)
policies = st.builds(
    RetrySettings, first_delay=st.floats(0.001, 60), max_delay=st.floats(60, 86_400), horizon=st.just(604_800)
)
seeds = st.integers(0, 2**32)


@given(attempts, policies, seeds)
def test_the_delay_is_never_negative_nor_above_the_owners_maximum(attempt: int, policy: RetrySettings, seed: int):
    delay_s = retry_delay_s(attempt, policy, random.Random(seed))

    assert 0 <= delay_s <= policy.max_delay


@given(attempts, policies, seeds, st.floats(0, 1e9))
def test_the_peers_wish_is_a_lower_bound_up_to_a_cap(attempt: int, policy: RetrySettings, seed: int, after_s: float):
    delay_s = retry_delay_s(attempt, policy, random.Random(seed), after_s)

    cap_s = max(policy.max_delay, RETRY_AFTER_CAP_S)
    assert min(after_s, cap_s) <= delay_s <= cap_s


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(1, 1), (2, 2), (3, 4), (8, 128), (9, 256), (10, 300), (99, 300)])
def test_the_range_doubles_until_the_maximum_and_jitter_fills_all_of_it(attempt: int, ceiling_s: float):
    rng = random.Random(7)

    delays = [retry_delay_s(attempt, RetrySettings(), rng) for _ in range(4000)]

    assert max(delays) <= ceiling_s
    assert max(delays) > 0.98 * ceiling_s
    assert min(delays) < 0.02 * ceiling_s
    assert sum(delays) / len(delays) == pytest.approx(ceiling_s / 2, rel=0.1)


def test_the_same_randomness_gives_the_same_delay():
    assert retry_delay_s(4, RetrySettings(), random.Random(3)) == retry_delay_s(4, RetrySettings(), random.Random(3))


def test_a_refusal_of_credentials_is_doubted_once_and_then_asked_about_rarely():
    policy = RetrySettings(first_delay=2)

    assert paused_delay_s(1, policy, random.Random(1)) <= 2
    assert paused_delay_s(2, policy, random.Random(1)) == PAUSED_DELAY_S
    assert paused_delay_s(2, RetrySettings(max_delay=3600), random.Random(1)) == 3600
