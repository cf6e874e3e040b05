"""The breaker: when a destination rests, and how it comes back."""

import math

from gateway.deliver.breaker import FAILURES_TO_OPEN, LONGEST_REST_S, Breaker, Moment, restored
from gateway.queue.records import RetryState

NOW = Moment(s=50.0, ms=1_000_000)


def later(seconds: float) -> Moment:
    return Moment(NOW.s + seconds, NOW.ms + round(seconds * 1000))


def opened(*, paused: bool = False) -> Breaker:
    return Breaker().opened(NOW, 30.0, "HTTP 503", paused=paused)


def test_a_single_failure_is_not_the_destinations():
    breaker = Breaker().failed(NOW, "HTTP 500")

    assert breaker.state == "closed"
    assert not breaker.must_open
    assert breaker.wait_s(NOW.s) == 0
    assert breaker.last_error == "HTTP 500"


def test_failures_in_a_row_with_no_success_between_open_it():
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        assert not breaker.must_open
        breaker = breaker.failed(NOW, "HTTP 500")

    assert breaker.must_open


def test_a_success_between_starts_the_count_again():
    breaker = Breaker()
    for _ in range(3 * FAILURES_TO_OPEN):
        breaker = breaker.failed(NOW, "HTTP 500").succeeded(NOW)

    assert not breaker.must_open
    assert breaker.failing_since_ms == 0


def test_an_open_breaker_lets_one_probe_through_when_its_time_has_come():
    breaker = opened()

    assert breaker.wait_s(later(10).s) == 20
    assert breaker.wait_s(later(30).s) == 0
    assert breaker.sending().wait_s(later(30).s) == math.inf


def test_a_probe_that_succeeds_closes_it():
    breaker = opened().sending().succeeded(later(31))

    assert breaker.state == "closed"
    assert breaker.well_since_ms == later(31).ms
    assert breaker.to_record() is None


def test_a_probe_that_fails_opens_it_again_and_the_outage_keeps_its_beginning():
    breaker = opened().sending()
    assert breaker.failed(later(31), "HTTP 502").must_open

    breaker = breaker.failed(later(31), "HTTP 502").opened(later(31), 60.0, "HTTP 502", paused=False)

    assert breaker.attempts == 2
    assert breaker.wait_s(later(31).s) == 60
    assert breaker.failing_since_ms == NOW.ms
    assert breaker.last_error == "HTTP 502"


def test_late_answers_to_requests_from_before_it_opened_change_nothing():
    breaker = opened()

    assert breaker.succeeded(later(1)) == breaker
    assert breaker.failed(later(1), "HTTP 500") == breaker
    assert breaker.opened(later(1), 999.0, "HTTP 401", paused=True) == breaker


def test_the_owner_can_ask_for_a_probe_at_once():
    breaker = opened(paused=True).resumed(later(1))

    assert breaker.wait_s(later(1).s) == 0
    assert breaker.paused


def test_what_is_kept_on_disk_brings_back_the_same_breaker():
    breaker = opened(paused=True)
    record = breaker.to_record()
    assert record == RetryState(1, NOW.ms + 30_000, NOW.ms, "HTTP 503", paused=True)

    again = restored(record, Moment(s=3.0, ms=NOW.ms + 10_000))

    assert again.to_record() == record
    assert again.wait_s(3.0) == 20


def test_a_time_that_passed_while_the_daemon_was_off_means_a_probe_at_once():
    record = RetryState(7, NOW.ms - 1, NOW.ms - 60_000, "HTTP 503")

    assert restored(record, NOW).wait_s(NOW.s) == 0
    assert restored(record, NOW).attempts == 7


def test_a_wall_clock_that_was_wrong_does_not_silence_a_destination():
    record = RetryState(1, NOW.ms + 10**12, NOW.ms, "HTTP 503")

    assert restored(record, NOW).wait_s(NOW.s) == LONGEST_REST_S
