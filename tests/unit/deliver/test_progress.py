"""The cursor moves over a gapless run of outcomes, each counted once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.letters import Trouble, dead_letter
from gateway.deliver.progress import Filtered, Outcomes, Settled, progress
from gateway.model.envelope import Envelope, Stored
from gateway.model.outcome import Delivered

LETTER = dead_letter(Stored(5, b"{}", Envelope("web", 1)), "mail", "rejected", Trouble("HTTP 400", 0, 1))
RETRIED = replace(LETTER, state="retry", reason="retrying")


def test_an_event_without_an_outcome_holds_the_cursor_back():
    outcomes = Outcomes(10)
    outcomes.settle(12, Delivered())
    outcomes.settle(10, Delivered())

    assert outcomes.prefix() == [Delivered()]

    outcomes.settle(11, Filtered("sources"))
    assert outcomes.prefix() == [Delivered(), Filtered("sources"), Delivered()]


def test_what_was_not_recorded_is_offered_again():
    outcomes = Outcomes(0)
    outcomes.settle(0, Delivered())

    assert outcomes.prefix() == outcomes.prefix() == [Delivered()]
    outcomes.recorded(1)
    assert outcomes.prefix() == []
    assert outcomes.next_offset == 1


def test_an_event_of_several_parts_has_its_outcome_once_all_of_them_have():
    outcomes = Outcomes(0)
    outcomes.settle(0, Delivered(), parts=3)
    outcomes.settle(0, Filtered("x"), parts=3)
    assert outcomes.prefix() == []

    outcomes.settle(0, Delivered(), parts=3)

    assert outcomes.prefix() == [Delivered()]


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ((Delivered(), LETTER), LETTER),
        ((LETTER, RETRIED), RETRIED),
        ((RETRIED, Delivered()), RETRIED),
        ((Filtered("x"), LETTER), LETTER),
    ],
)
def test_the_part_that_fared_worst_and_can_still_be_helped_speaks_for_the_event(
    parts: tuple[Settled, ...], outcome: Settled
):
    outcomes = Outcomes(0)

    for part in parts:
        outcomes.settle(0, part, parts=len(parts))

    assert outcomes.prefix() == [outcome]


@pytest.mark.parametrize("offset", [9, 10])
def test_a_second_outcome_for_an_event_is_a_fault(offset: int):
    outcomes = Outcomes(10)
    outcomes.settle(10, Delivered())

    with pytest.raises(AssertionError):
        outcomes.settle(offset, Delivered())


@given(st.permutations(range(100, 140)), st.data())
def test_in_whatever_order_events_finish_each_is_recorded_exactly_once(order: list[int], data: st.DataObject):
    kinds = {offset: data.draw(st.sampled_from((Delivered(), Filtered("x"), LETTER))) for offset in order}
    outcomes, recorded = Outcomes(100), []
    for offset in order:
        outcomes.settle(offset, kinds[offset])
        if data.draw(st.booleans()):
            run = outcomes.prefix()
            recorded += run
            outcomes.recorded(len(run))
    recorded += outcomes.prefix()

    assert recorded == [kinds[offset] for offset in range(100, 140)]


def test_the_sums_add_up_to_the_span():
    span = progress(14, [Delivered(), Filtered("sources"), LETTER, Delivered()])

    assert (span.next_offset, span.delivered, span.filtered, list(span.letters)) == (14, 2, 1, [LETTER])
