"""Letters hold everything that is needed to send the event again."""

from gateway.deliver.letters import MAX_ERROR_CHARACTERS, Trouble, dead_letter, retry_letter, stored_event
from gateway.model.envelope import Envelope, Stored

STORED = Stored(42, b'{"messageId":"m1","type":"track","n":1e999}', Envelope("web", 17, None, "203.0.113.9", "Test/1"))


def test_a_letter_gives_back_the_event_as_it_lay_in_the_queue():
    letter = dead_letter(STORED, "mail", "rejected", Trouble("HTTP 400", 3, 1000))

    assert stored_event(letter) == STORED
    assert (letter.state, letter.reason, letter.error, letter.attempts) == ("dead", "rejected", "HTTP 400", 3)
    assert (letter.message_id, letter.source, letter.received_at_ms) == ("m1", "web", 17)


def test_an_event_set_aside_has_its_own_schedule():
    letter = retry_letter(STORED, "mail", 5000, Trouble("HTTP 500", 2, 1000))

    assert (letter.state, letter.next_attempt_at_ms, letter.failing_since_ms) == ("retry", 5000, 1000)


def test_what_cannot_even_be_decoded_is_kept_as_it_is():
    letter = dead_letter(Stored(1, b"\xff", Envelope("web", 1)), "mail", "unmappable", Trouble("bad", 0, 1))

    assert (letter.message_id, letter.event) == ("", b"\xff")


def test_a_long_error_is_cut():
    assert len(dead_letter(STORED, "mail", "rejected", Trouble("x" * 10**6, 0, 1)).error) == MAX_ERROR_CHARACTERS
