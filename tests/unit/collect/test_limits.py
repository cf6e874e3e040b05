"""Token buckets, on a clock that the test moves."""

import pytest

from gateway.collect.limits import AddressBuckets, TokenBucket, bucket_for, retry_after_s
from gateway.config import RateSettings


def test_a_burst_passes_and_then_the_rate():
    bucket = TokenBucket(RateSettings(per_second=2, burst=3), now_s=0)

    assert [bucket.take(0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert bucket.take(0.5) == 0
    assert bucket.take(0.5) == 0.5


def test_a_bucket_never_holds_more_than_its_burst():
    bucket = TokenBucket(RateSettings(per_second=10, burst=2), now_s=0)

    assert [bucket.take(1_000) > 0 for _ in range(3)] == [False, False, True]


def test_a_rate_without_a_burst_allows_a_seconds_worth():
    bucket = TokenBucket(RateSettings(per_second=5), now_s=0)

    assert sum(bucket.take(0) == 0 for _ in range(20)) == 5


def test_a_rate_below_one_still_lets_one_pass():
    bucket = TokenBucket(RateSettings(per_second=0.1), now_s=0)

    assert bucket.take(0) == 0
    assert bucket.take(0) == pytest.approx(10)


def test_a_rate_of_zero_is_no_limit():
    assert bucket_for(RateSettings(), 0) is None


def test_addresses_do_not_share_a_bucket():
    buckets = AddressBuckets(RateSettings(per_second=1))

    assert buckets.take("192.0.2.1", 0) == 0
    assert buckets.take("192.0.2.1", 0) == 1
    assert buckets.take("192.0.2.2", 0) == 0


def test_an_ipv6_client_is_its_network():
    buckets = AddressBuckets(RateSettings(per_second=1))

    assert buckets.take("2001:db8::1", 0) == 0
    assert buckets.take("2001:db8::ffff:1", 0) == 1
    assert buckets.take("2001:db8:0:1::1", 0) == 0


def test_the_quietest_address_is_forgotten_first():
    buckets = AddressBuckets(RateSettings(per_second=1), max_addresses=2)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        buckets.take(address, 0)

    assert buckets.take("192.0.2.1", 0) > 0
    assert buckets.take("192.0.2.2", 0) == 0


@pytest.mark.parametrize(("wait_s", "said"), [(0.01, 1), (1.0, 1), (1.2, 2), (59.5, 60)])
def test_a_wait_is_said_in_whole_seconds(wait_s: float, said: int):
    assert retry_after_s(wait_s) == said
