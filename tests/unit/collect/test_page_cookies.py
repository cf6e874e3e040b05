"""Which of the page's cookies are kept, and with which events."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.page_cookies import MAX_BYTES, MAX_COOKIE_BYTES, MOST_COOKIES, PageCookies, page_cookies
from gateway.config import CookieSettings

NAMED = CookieSettings(analytics=("_ga", "_ga_*"), marketing=("_fb?", "_gcl_*"))
HEADER = "hw=visitor.20000; _ga=GA1.1.2.3; _ga_X1=GS1.1; _fbp=fb.1.2.3; _gcl_au=1.1; session=s3cret; _gat"
ANALYTICS = (("_ga", "GA1.1.2.3"), ("_ga_X1", "GS1.1"))
MARKETING = (("_fbp", "fb.1.2.3"), ("_gcl_au", "1.1"))


def rules(settings: CookieSettings = NAMED, *, is_required: bool = False) -> PageCookies:
    found = page_cookies(settings, "hw", is_required=is_required)
    assert found is not None
    return found


def test_without_names_there_is_nothing_to_ask():
    assert page_cookies(CookieSettings(), "hw", is_required=False) is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([{}], ANALYTICS + MARKETING),
        ([{"marketing": False}], ANALYTICS),
        ([{}, {"marketing": False}], ANALYTICS),
        ([{"analytics": False}], MARKETING),
        ([{"analytics": False, "marketing": False}], ()),
    ],
)
def test_a_category_is_kept_unless_one_of_the_events_refuses_it(said: list[dict[str, Any]], kept: object):
    assert rules().kept(HEADER, said) == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([{}], ()),
        ([{"analytics": True}], ANALYTICS),
        ([{"analytics": True, "marketing": True}], ANALYTICS + MARKETING),
        ([{"analytics": True, "marketing": True}, {"analytics": True}], ANALYTICS),
    ],
)
def test_where_consent_is_required_each_event_must_have_it(said: list[dict[str, Any]], kept: object):
    assert rules(is_required=True).kept(HEADER, said) == kept


def test_the_visitors_own_cookie_is_never_kept_and_a_name_in_both_lists_is_marketing():
    every = rules(CookieSettings(analytics=("*",), marketing=("_ga",)))

    kept = dict(every.kept(HEADER, [{"marketing": False}]))

    assert kept.keys() == {"_ga_X1", "_fbp", "_gcl_au", "session"}


def test_of_a_name_that_comes_twice_the_first_counts():
    assert rules().kept("_ga=1; _ga=2;;=;_ga", [{}]) == (("_ga", "1"),)


def test_stray_bytes_become_unicode():
    assert rules().kept("_ga=caf\udce9", [{}]) == (("_ga", "caf\ufffd"),)


def test_what_is_too_large_is_left_out_and_the_others_are_kept():
    header = "; ".join(["_ga=" + "x" * MAX_COOKIE_BYTES, *(f"_ga_{n}={'y' * 1000}" for n in range(5)), "_ga_last=z"])

    names = [name for name, _ in rules().kept(header, [{}])]

    assert names == ["_ga_0", "_ga_1", "_ga_2", "_ga_3", "_ga_last"]


@given(st.text(max_size=300) | st.lists(st.text("_ga=;é ", max_size=9)).map(";".join), st.integers(0, 40))
def test_any_header_is_read_within_bounds(header: str, more: int):
    header += "".join(f"; _ga_{n}={'x' * n * 40}" for n in range(more))

    kept = rules(CookieSettings(analytics=("*",))).kept(header.encode(errors="replace").decode(), [{}])

    assert len(kept) <= MOST_COOKIES
    assert sum(len(name.encode()) + len(value.encode()) for name, value in kept) <= MAX_BYTES
    assert len(dict(kept)) == len(kept)
