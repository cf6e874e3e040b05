"""Who wins: the page, the cookie, or the link from another site."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.cookies import Known, is_storable
from gateway.collect.fields import Frame
from gateway.collect.visitors import COOKIELESS, ERASE, ROTATE, Verdict, decide

TODAY = 20_800
PAGE, COOKIE, LINK, NAMELESS = "page", "cookie", "link", "nameless"
UNSTORABLE = "ada@shop.example"
KNOWN = Known(COOKIE, TODAY)
SAME = Known(PAGE, TODAY)
OLD = Known(COOKIE, TODAY - 30)


def judge(identity: str, remembered: str, known: Known | None, linked: str | None) -> Verdict:
    return decide(Frame(remembered, identity), known, linked, NAMELESS, TODAY)


def sets(anonymous_id: str) -> Verdict:
    return Verdict(anonymous_id, sets_cookie=True)


def erases(anonymous_id: str) -> Verdict:
    return Verdict(anonymous_id, erases_cookie=True)


@pytest.mark.parametrize(
    ("remembered", "known", "linked", "verdict"),
    [
        # A page alone is believed, and its id is kept from then on.
        (PAGE, None, None, sets(PAGE)),
        ("", None, None, Verdict("")),
        # The cookie wins over what the page remembers, and is set again once it is a month old.
        (PAGE, KNOWN, None, Verdict(COOKIE)),
        (PAGE, SAME, None, Verdict(PAGE)),
        ("", KNOWN, None, Verdict(COOKIE)),
        (PAGE, Known(COOKIE, TODAY - 29), None, Verdict(COOKIE)),
        (PAGE, OLD, None, sets(COOKIE)),
        (PAGE, Known(COOKIE, TODAY + 1), None, sets(COOKIE)),
        # Another site of the owner knows better than both.
        (PAGE, None, LINK, sets(LINK)),
        (PAGE, KNOWN, LINK, sets(LINK)),
        (PAGE, Known(LINK, TODAY), LINK, Verdict(LINK)),
        ("", None, LINK, sets(LINK)),
        # An id that the cookie cannot hold is the page's own choice: nothing overrules it.
        (UNSTORABLE, None, None, Verdict(UNSTORABLE)),
        (UNSTORABLE, KNOWN, None, erases(UNSTORABLE)),
        (UNSTORABLE, KNOWN, LINK, erases(UNSTORABLE)),
    ],
)
def test_the_cookie_wins_over_the_page_and_a_link_over_the_cookie(
    remembered: str, known: Known | None, linked: str | None, verdict: Verdict
):
    assert judge("", remembered, known, linked) == verdict


@pytest.mark.parametrize("linked", [None, LINK])
@pytest.mark.parametrize(
    ("remembered", "known", "verdict"),
    [
        (PAGE, None, sets(PAGE)),
        (PAGE, KNOWN, sets(PAGE)),
        (PAGE, SAME, Verdict(PAGE)),
        (UNSTORABLE, None, Verdict(UNSTORABLE)),
        (UNSTORABLE, KNOWN, erases(UNSTORABLE)),
    ],
)
def test_the_cookie_follows_a_page_that_starts_anew(
    remembered: str, known: Known | None, linked: str | None, verdict: Verdict
):
    assert judge(ROTATE, remembered, known, linked) == verdict


@pytest.mark.parametrize("linked", [None, LINK])
@pytest.mark.parametrize("known", [None, KNOWN, OLD])
@pytest.mark.parametrize("remembered", [PAGE, UNSTORABLE, ""])
def test_without_consent_nobody_is_known_and_nothing_is_set(remembered: str, known: Known | None, linked: str | None):
    assert judge(COOKIELESS, remembered, known, linked) == Verdict(NAMELESS)


@pytest.mark.parametrize("linked", [None, LINK])
@pytest.mark.parametrize("known", [None, KNOWN, OLD])
@pytest.mark.parametrize("remembered", [PAGE, UNSTORABLE, ""])
def test_a_withdrawal_takes_the_cookie_away_whether_we_saw_it_or_not(
    remembered: str, known: Known | None, linked: str | None
):
    assert judge(ERASE, remembered, known, linked) == erases(remembered)


@given(
    st.text(),
    st.text(),
    st.none() | st.builds(Known, st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(0, 99_999)),
    st.none() | st.from_regex("[A-Za-z0-9_-]{1,64}", fullmatch=True),
)
def test_a_cookie_is_only_ever_set_to_what_it_can_hold(
    identity: str, remembered: str, known: Known | None, linked: str | None
):
    verdict = judge(identity, remembered, known, linked)

    assert not verdict.sets_cookie or is_storable(verdict.anonymous_id)
    assert not (verdict.sets_cookie and verdict.erases_cookie)
