"""An address that takes a visitor along: for two minutes, for who has the secret, and for that visitor alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.linker import CLOCK_SKEW_S, VALID_S, sign_link, verify_link

SECRET = "a-long-random-secret"
NOW_S = 1_800_000_000
UUID = "0b9c1c52-7d4f-4a55-8c86-0f5a3a1d2e4b"
TOKEN = sign_link(UUID, NOW_S, SECRET)
STORABLE = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@given(STORABLE, st.text(min_size=1), st.integers(0, VALID_S))
def test_what_one_gateway_signs_another_with_the_same_secret_takes_in(anonymous_id: str, secret: str, age_s: int):
    assert verify_link(sign_link(anonymous_id, NOW_S, secret), NOW_S + age_s, secret) == anonymous_id


@pytest.mark.parametrize(
    ("age_s", "holds"),
    [
        (0, True),
        (VALID_S, True),
        (VALID_S + 1, False),
        (86_400, False),
        (-CLOCK_SKEW_S, True),
        (-CLOCK_SKEW_S - 1, False),
    ],
)
def test_it_holds_for_two_minutes_and_clocks_may_differ_by_seconds(age_s: int, holds: bool):
    assert verify_link(TOKEN, NOW_S + age_s, SECRET) == (UUID if holds else None)


@pytest.mark.parametrize("secret", ["", "another-secret", SECRET.upper(), SECRET + " "])
def test_another_secret_believes_nothing(secret: str):
    assert verify_link(TOKEN, NOW_S, secret) is None


def test_without_a_secret_nothing_is_believed_not_even_what_no_secret_signed():
    assert verify_link(sign_link(UUID, NOW_S, ""), NOW_S, "") is None


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="utf-8"))
def test_no_character_of_it_can_be_changed(position: int, character: str):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]

    assert changed == TOKEN or verify_link(changed, NOW_S, SECRET) is None


def test_no_part_of_it_can_be_taken_from_another():
    anonymous_id, signed_s, signature = TOKEN.split(".")
    later = sign_link(UUID, NOW_S + 60, SECRET).split(".")[2]

    for forged in (f"other.{signed_s}.{signature}", f"{anonymous_id}.{NOW_S + 60}.{signature}", TOKEN[:-22] + later):
        assert verify_link(forged, NOW_S + 60, SECRET) is None


def test_the_time_is_in_plain_digits():
    arabic = TOKEN.replace(f".{NOW_S}.", "." + "".join(chr(0x660 + int(digit)) for digit in str(NOW_S)) + ".")

    assert verify_link(arabic, NOW_S, SECRET) is None


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"[A-Za-z0-9_-]{0,70}\.\d{0,14}\.[A-Za-z0-9_-]{20,24}", fullmatch=True),
        st.builds(lambda start, end: TOKEN[start:end], st.integers(-60, 60), st.integers(-60, 60)),
    )
)
def test_nothing_that_may_stand_in_an_address_breaks_the_reader(token: str):
    assert verify_link(token, NOW_S, SECRET) in {None, UUID}
    assert verify_link(token, NOW_S, SECRET) is None or token == TOKEN


def test_it_may_stand_in_an_address_as_it_is():
    assert all(character.isalnum() or character in "-_." for character in TOKEN)
    assert len(TOKEN) < 100
