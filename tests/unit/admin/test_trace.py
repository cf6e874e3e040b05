"""One event's life, told from what the queue still knows."""

import json
from typing import Any, Literal

from gateway.admin.answers import encode
from gateway.admin.trace import NOT_FOUND, life_of, mentioning
from gateway.config import DestinationSettings
from gateway.queue.records import Cursor, Letter, Located, Rejected, RetryState

EVENT = Located(7, "web", 1_700_000_000_000, b'{"messageId":"m-1","type":"track","event":"Paid"}')
REFUSAL = Rejected(1_700_000_000_000, "web", "missing_user", "", "192.0.2.1", b'{"messageId":"m-1"}')
ALL = DestinationSettings(type="webhook")


def cursor(next_offset: int, name: str = "crm", start: int = 0, filtered: int = 0, **rest: Any) -> Cursor:
    delivered = max(0, next_offset - start - filtered)
    return Cursor(name, start, next_offset, delivered, 0, filtered, 0, rest.get("retry"), rest.get("end_offset"))


def letter(state: Literal["retry", "dead"], offset: int = 7) -> Letter:
    return Letter("crm", offset, "m-1", "web", 0, EVENT.event, b"", state, "rejected", "HTTP 400", 3, 0, 60_000, id=1)


def fates(
    *cursors: Cursor, letters: tuple[Letter, ...] = (), verdict: str | None = None, **destinations: DestinationSettings
) -> list[dict[str, Any]]:
    verdicts = {} if verdict is None else {("crm", EVENT.offset): verdict}
    (event,) = life_of([EVENT], [], cursors, letters, destinations or {"crm": ALL}, verdicts)["events"]
    told: list[dict[str, Any]] = event["destinations"]
    return told


def test_an_event_is_shown_with_its_time_and_source():
    (event,) = json.loads(encode(life_of([EVENT], [], [], [], {}, {})))["events"]

    assert event == {
        "offset": 7,
        "source": "web",
        "received_at": "2023-11-14T22:13:20.000Z",
        "event": {"messageId": "m-1", "type": "track", "event": "Paid"},
        "destinations": [],
    }


def test_a_cursor_that_has_passed_has_delivered_it():
    assert fates(cursor(8)) == [{"destination": "crm", "state": "delivered", "detail": ""}]


def test_where_rules_keep_events_back_a_passed_cursor_is_not_said_to_prove_delivery():
    (fate,) = fates(cursor(8, filtered=2))

    assert fate["detail"] == "or kept back by a rule, as 2 of its events were: `headwater preview` tells"


def test_an_event_that_the_rules_of_now_would_filter_is_said_to_be_filtered_with_the_rule():
    (fate,) = fates(cursor(8, filtered=2), verdict="no_pages")

    assert (fate["state"], fate["detail"]) == ("filtered", "the rules of now would filter it: no_pages")


def test_an_event_that_the_rules_of_now_let_through_is_said_to_be_delivered_by_them():
    (fate,) = fates(cursor(8, filtered=2), verdict="")

    assert (fate["state"], fate["detail"]) == ("delivered", "the rules of now let it through")


def test_where_everything_was_filtered_so_was_this_event():
    (fate,) = fates(cursor(8, filtered=8))

    assert fate["state"] == "filtered"


def test_a_cursor_that_has_not_passed_still_has_it_before_it_and_says_what_holds_it_up():
    retry = RetryState(attempts=4, next_attempt_at_ms=0, failing_since_ms=0, last_error="HTTP 503")

    assert fates(cursor(5, retry=retry)) == [
        {"destination": "crm", "state": "pending", "detail": "2 events are before it", "error": "HTTP 503"}
    ]


def test_a_dead_letter_and_a_retry_are_told_with_the_destinations_words():
    (dead,) = fates(cursor(8), letters=(letter("dead"),))
    (retrying,) = fates(cursor(8), letters=(letter("retry"),))

    assert (dead["state"], dead["error"], dead["attempts"], dead["next_attempt_at"]) == ("dead", "HTTP 400", 3, None)
    assert (retrying["state"], retrying["next_attempt_at"]) == ("retrying", "1970-01-01T00:01:00.000Z")


def test_a_letter_of_another_event_tells_nothing_of_this_one():
    (fate,) = fates(cursor(8), letters=(letter("dead", offset=6),))

    assert fate["state"] == "delivered"


def test_a_destination_that_does_not_take_the_source_has_filtered_it():
    (fate,) = fates(cursor(8), crm=DestinationSettings(type="webhook", sources=("backend",)))

    assert (fate["state"], fate["detail"]) == ("filtered", 'the destination does not take the source "web"')


def test_a_destination_that_was_added_later_never_got_it():
    (fate,) = fates(cursor(20, start=10))

    assert fate["state"] == "not_sent"


def test_replays_are_told_only_where_they_cover_the_event():
    covering, other = cursor(5, "crm#replay-1", 5, end_offset=10), cursor(8, "crm#replay-2", 8, end_offset=10)

    assert [(fate["destination"], fate["state"]) for fate in fates(covering, other)] == [("crm#replay-1", "pending")]


def test_refusals_that_mention_the_id_belong_to_its_life():
    other = Rejected(0, "", "invalid_json", "", "192.0.2.1", b"m-2")

    life = life_of([], mentioning("m-1", [REFUSAL, other]), [], [], {}, {})

    assert [refusal["reason"] for refusal in life["rejected"]] == ["missing_user"]
    assert life["note"] == ""


def test_an_event_nobody_knows_is_said_to_be_unknown():
    assert life_of([], [], [], [], {}, {})["note"] == NOT_FOUND
