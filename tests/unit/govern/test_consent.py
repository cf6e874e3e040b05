"""What a visitor's word means for an event."""

from typing import Any

import pytest

from gateway.govern import ConsentRules, is_refusal, may_keep, understood, with_opt_out

OPT_OUT = ConsentRules(is_required=False, honours_gpc=True, honours_dnt=False)
OPT_IN = ConsentRules(is_required=True, honours_gpc=True, honours_dnt=False)


@pytest.mark.parametrize(
    ("said", "is_kept_unless_refused", "is_kept_once_agreed"),
    [
        ({"analytics": True}, True, True),
        ({"analytics": False}, False, False),
        ({}, True, False),
        ({"marketing": True, "functional": True}, True, False),
        ({"analytics": True, "marketing": False}, True, True),
        ({"analytics": "true"}, True, False),
        ({"analytics": 1}, True, False),
        ({"analytics": 0}, True, False),
        ({"analytics": None}, True, False),
        ({"Analytics": False}, True, False),
    ],
)
def test_only_true_agrees_and_only_false_refuses(
    said: dict[str, Any], is_kept_unless_refused: bool, is_kept_once_agreed: bool
):
    assert may_keep(said, OPT_OUT) == is_kept_unless_refused
    assert may_keep(said, OPT_IN) == is_kept_once_agreed


@pytest.mark.parametrize("said", [{}, {"marketing": True}, {"marketing": False}, {"analytics": True, "x": 1}])
def test_an_opt_out_is_a_refusal_of_marketing_and_of_nothing_else(said: dict[str, Any]):
    before = dict(said)

    assert with_opt_out(said) == {**said, "marketing": False}
    assert said == before, "what the visitor said is not changed"


@pytest.mark.parametrize(("said", "is_kept"), [({"analytics": False}, True), ({"analytics": 0}, False), ({}, False)])
def test_what_was_refused_may_be_the_owners_alone_and_silence_is_no_refusal(said: dict[str, Any], is_kept: bool):
    assert may_keep(said, OPT_IN._replace(keeps_refused=True)) == is_kept
    assert may_keep(said, OPT_OUT._replace(keeps_refused=True))
    assert is_refusal(said) == is_kept


@pytest.mark.parametrize("word", [False, 0, "false", "no", "0", "denied", " Denied "])
def test_a_refusal_is_one_in_every_spelling(word: Any):
    assert understood({"Analytics": word}) == {"analytics": False}


@pytest.mark.parametrize("said", [{"analytics": "no", "Analytics": True}, {"Analytics": True, "analytics": "no"}])
def test_of_two_spellings_of_a_category_the_refusal_holds(said: dict[str, Any]):
    assert understood(said) == {"analytics": False}
