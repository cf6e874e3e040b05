"""What is read from a Cookie header, whatever stands in it, and what Set-Cookie says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.cookies import (
    MAX_AGE_S,
    Known,
    Scope,
    domain_for,
    erase_cookie,
    is_storable,
    read_cookie,
    set_cookie,
)

UUID = "0b9c1c52-7d4f-4a55-8c86-0f5a3a1d2e4b"
TODAY = 20_800
HTTPS = Scope("hw", "", is_secure=True)
STORABLE = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (f"hw={UUID}.20800", Known(UUID, TODAY)),
        (f"a=b; hw={UUID}.20800; c=d", Known(UUID, TODAY)),
        (f"a=b;hw={UUID}.20800;c", Known(UUID, TODAY)),
        ("hw=chosen_by-page.1", Known("chosen_by-page", 1)),
        ("hw=old.20700; hw=new.20800", Known("new", TODAY)),
        ("hw=new.20800; hw=old.20700", Known("new", TODAY)),
        ("hw=broken; hw=good.20700; hw=", Known("good", 20_700)),
    ],
)
def test_the_newest_cookie_of_the_name_is_who_the_visitor_is(header: str, known: Known):
    assert read_cookie(header, "hw") == known


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "hw",
        "hw=",
        "hw=;",
        ";;;===",
        f"hw={UUID}",
        f"hw={UUID}.",
        f"hw={UUID}.today",
        f"hw={UUID}.\u0662\u0660",
        f"hw={UUID}.-1",
        f"hw={UUID}.1234567",
        f"hw={UUID}.1.2",
        f'hw="{UUID}.20800"',
        f"HW={UUID}.20800",
        f"hwx={UUID}.20800",
        f"xhw={UUID}.20800",
        f"hw ={UUID}.20800",
        f"hw={'x' * 65}.20800",
        "hw=a b.20800",
        "hw=a\r\nSet-Cookie: x.20800",
        "hw=%00.20800",
        "hw=\udcff.20800",
        "hw=é.20800",
    ],
)
def test_what_is_no_cookie_of_ours_knows_nobody(header: str | None):
    assert read_cookie(header, "hw") is None


@given(st.text(max_size=200))
def test_no_header_breaks_the_reader(header: str):
    known = read_cookie(header, "hw")

    assert known is None or is_storable(known.anonymous_id)


@given(st.lists(st.text(alphabet='hw=;. "\\abc1\udcff', max_size=30)), STORABLE, st.integers(0, 99_999))
def test_ours_is_found_among_whatever_else_stands_there(others: list[str], anonymous_id: str, day: int):
    ours = set_cookie(HTTPS, anonymous_id, day).partition(";")[0]

    known = read_cookie(";".join([*others, ours]), "hw")

    assert known is not None
    assert known.issued_day >= day


@given(STORABLE, st.integers(0, 99_999))
def test_what_is_set_is_what_is_read(anonymous_id: str, day: int):
    pair = set_cookie(HTTPS, anonymous_id, day).partition(";")[0]

    assert read_cookie(pair, "hw") == Known(anonymous_id, day)


def test_it_is_small_lasts_395_days_and_is_kept_from_scripts_and_other_sites():
    pair, *attributes = set_cookie(HTTPS, UUID, TODAY).split("; ")

    assert pair == f"hw={UUID}.20800"
    assert len(pair) < 100
    assert set(attributes) == {f"Max-Age={395 * 86_400}", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"}
    assert MAX_AGE_S < 400 * 86_400, "Chromium allows no more"


@pytest.mark.parametrize(
    ("hosts", "domain"),
    [
        (["shop.example"], "shop.example"),
        (["www.Shop.example:8443", ""], "shop.example"),
        (["127.0.0.1:8080", "www.shop.example"], "shop.example"),
        (["127.0.0.1:8080", ""], ""),
        (["other.example", "myshop.example"], ""),
        ([], ""),
    ],
)
def test_the_domain_is_set_for_hosts_below_it_alone(hosts: list[str], domain: str):
    assert domain_for(hosts, "shop.example") == domain
    assert domain_for(hosts, "") == ""


@pytest.mark.parametrize("domain", ["", "shop.example"])
@pytest.mark.parametrize("is_secure", [True, False])
def test_it_is_erased_where_it_was_set(domain: str, is_secure: bool):
    scope = Scope("q7", domain, is_secure)
    written, erased = set_cookie(scope, UUID, TODAY).split("; "), erase_cookie(scope).split("; ")

    assert (written[0], erased[:2]) == (f"q7={UUID}.20800", ["q7=", "Max-Age=0"])
    assert written[2:] == erased[2:], "a cookie of other attributes would be another cookie"
    assert ("Secure" in written) == is_secure
    assert (f"Domain={domain}" in written) == bool(domain)


@pytest.mark.parametrize(
    ("issued_day", "is_old"),
    [(TODAY, False), (TODAY - 29, False), (TODAY - 30, True), (TODAY - 395, True), (0, True), (TODAY + 1, True)],
)
def test_a_cookie_is_set_again_after_thirty_days_and_when_it_is_from_the_future(issued_day: int, is_old: bool):
    assert Known(UUID, issued_day).is_old(TODAY) == is_old


@pytest.mark.parametrize(
    ("anonymous_id", "fits"),
    [(UUID, True), ("a", True), ("x" * 64, True), ("", False), ("x" * 65, False), ("a.b", False), ("ada@x", False)],
)
def test_pages_may_choose_ids_that_do_not_fit(anonymous_id: str, fits: bool):
    assert is_storable(anonymous_id) == fits


@pytest.mark.parametrize("separator", [";", ",", " ", "\r", "\n", "\0", '"', "=", "."])
def test_nothing_that_could_end_a_header_fits(separator: str):
    assert not is_storable(f"a{separator}b")
    assert not is_storable(f"a{separator}")
