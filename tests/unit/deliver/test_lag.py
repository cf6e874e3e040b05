"""How old the oldest undelivered event is."""

from gateway.deliver.lag import Lag
from gateway.deliver.spans import batch_of_one
from gateway.model.envelope import Envelope, Stored


def read(lag: Lag, *events: tuple[int, int]) -> None:
    for offset, received_at_ms in events:
        lag.read(batch_of_one(Stored(offset, b"{}", Envelope("web", received_at_ms))))


def test_with_nothing_left_to_deliver_there_is_no_lag():
    lag = Lag()
    read(lag, (0, 1000))

    assert lag.age_s(next_offset=1, head_offset=1, now_ms=9000) == 0


def test_the_lag_is_the_age_of_the_event_at_the_cursor():
    lag = Lag()
    read(lag, (0, 1000), (1, 4000), (2, 6000))

    assert lag.age_s(next_offset=0, head_offset=9, now_ms=10_000) == 9
    assert lag.age_s(next_offset=1, head_offset=9, now_ms=10_000) == 6


def test_an_event_that_nobody_read_yet_ages_from_when_it_was_noticed():
    lag = Lag()

    assert lag.age_s(next_offset=0, head_offset=1, now_ms=10_000) == 0
    assert lag.age_s(next_offset=0, head_offset=1, now_ms=15_000) == 5
