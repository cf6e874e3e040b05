"""E-mail addresses in texts, and in addresses of pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.govern.emails import may_hold, replaced

WORDS = st.text("ab.+%@2540BD-_ /?&=:", max_size=60)


def marked(text: str) -> str:
    return replaced(text, lambda address: f"<{address}>")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ada@shop.example", "<ada@shop.example>"),
        ("Mail Ada.L+news@Sub.Shop.co.uk, please.", "Mail <Ada.L+news@Sub.Shop.co.uk>, please."),
        ("Ada<ada@shop.example>; ben@a.org,'eve@b.net'", "Ada<<ada@shop.example>>; <ben@a.org>,'<eve@b.net>'"),
        ("mailto:ada@shop.example?subject=Hi", "mailto:<ada@shop.example>?subject=Hi"),
        ("https://s.example/?email=ada%40shop.example&b=1", "https://s.example/?email=<ada@shop.example>&b=1"),
        (
            "?to=https%3A%2F%2Fs.example%2F%3Fe%3Dada%2540x.com%26b",
            "?to=https%3A%2F%2Fs.example%2F%3Fe%3D<ada@x.com>%26b",
        ),
        ("?e=ada%2Bnews%40shop.example", "?e=<ada+news@shop.example>"),
        ("jörg@müller.example", "<jörg@müller.example>"),
        ("?e=j%C3%B6rg%40m%C3%BCller.example", "?e=<jörg@müller.example>"),
        ("https://ada:secret@host.example/p", "https://ada:<secret@host.example>/p"),
    ],
)
def test_an_address_is_found_wherever_it_stands(text: str, found: str):
    assert marked(text) == found


@pytest.mark.parametrize(
    "text", ["", "@ada", "a@b", "ada@", "react@18.2.0", "logo@2x.png", "img/logo@1.5x.webp?v=1", "100%40", "ada@[::1]"]
)
def test_what_only_has_an_at_sign_stays(text: str):
    assert marked(text) == text


@pytest.mark.parametrize(
    "unit", ["a", "a@", "%2B", "a%40", "@a.", "%25", "a@a.", "a@a-.", "%E4", "a%2540b.", "a@b.c", "%40", ".", "a.b-"]
)
def test_a_hostile_text_is_read_in_a_moment(unit: str):
    """Whatever repeats: a place that was looked at is not looked at again. The test would not end otherwise."""
    text = unit * (300_000 // len(unit))

    assert marked(text + "@").count("@") == (text + "@").count("@") or "<" in marked(text)


@given(WORDS, WORDS)
def test_after_removal_none_is_left(before: str, after: str):
    found: list[str] = []

    def note(address: str) -> str:
        found.append(address)
        return ""

    left = replaced(f"{before} ada@shop.example {after}", note)

    assert "ada@shop.example" in found
    assert "ada@shop.example" not in left


@given(st.text())
def test_a_text_without_any_is_the_same_text(text: str):
    if not may_hold(text):
        assert marked(text) is text
