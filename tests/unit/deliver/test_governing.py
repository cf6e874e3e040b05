"""What a transform made, as destinations are shown it."""

from typing import Any

import pytest

from gateway.deliver.governing import as_canonical

ORIGINAL: dict[str, Any] = {
    "type": "track",
    "messageId": "m1",
    "timestamp": "2026-11-25T12:00:00.000Z",
    "event": "E",
    "context": {},
}


def test_an_event_that_is_whole_stays_as_it_is():
    assert as_canonical([ORIGINAL], ORIGINAL) == [ORIGINAL]


def test_several_events_have_ids_of_their_own_that_are_the_same_at_every_attempt():
    made = [ORIGINAL, ORIGINAL, {**ORIGINAL, "messageId": "mine"}, {"type": "page"}]

    ids = [event["messageId"] for event in as_canonical(made, ORIGINAL)]

    assert ids == ["m1", "m1-2", "mine", "m1-4"]


def test_what_every_event_has_is_filled_in():
    (event,) = as_canonical([{"type": "page", "context": None}], ORIGINAL)

    assert event == {"type": "page", "messageId": "m1", "timestamp": ORIGINAL["timestamp"], "context": {}}


@pytest.mark.parametrize(
    ("said", "timestamp"),
    [
        ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"),
        (1_795_608_000_000, "2026-11-25T12:00:00.000Z"),
        ("soon", ORIGINAL["timestamp"]),
        (None, ORIGINAL["timestamp"]),
    ],
)
def test_a_time_is_written_as_all_times_are_and_one_that_is_none_is_not_believed(said: object, timestamp: str):
    (event,) = as_canonical([{**ORIGINAL, "timestamp": said}], ORIGINAL)

    assert event["timestamp"] == timestamp


@pytest.mark.parametrize("kind", [None, "", "purchase", 5])
def test_what_is_of_no_known_type_is_refused_in_words(kind: object):
    with pytest.raises(ValueError, match='keep "type"'):
        as_canonical([{**ORIGINAL, "type": kind}], ORIGINAL)
