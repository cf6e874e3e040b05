"""An event that came without a user is given one, and nothing else of it changes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.decode import canonical_event, decode
from gateway.deliver.owner import given_to
from gateway.model.envelope import Envelope, Stored

ENVELOPE = Envelope("web", 1_795_608_000_000)


def given_raw(raw: bytes, user_id: str = "ann") -> bytes:
    return given_to(Stored(7, raw, ENVELOPE), user_id).raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"messageId":"m","type":"track"}',
        b'{"userId":null,"messageId":"m","type":"track"}',
        b'{"messageId":"m","userId":"","type":"track"} \n',
    ],
)
def test_the_user_is_read_from_it_whatever_stood_there(raw: bytes):
    assert decode(given_raw(raw)) == {"messageId": "m", "type": "track", "userId": "ann"}


def test_numbers_keep_their_digits():
    raw = b'{"messageId":"m","n":123456789012345678901234567890}'

    assert given_raw(raw).startswith(raw[:-1])


def test_offset_and_envelope_stay():
    stored = given_to(Stored(7, b'{"messageId":"m"}', ENVELOPE), "ann")

    assert (stored.offset, stored.envelope) == (7, ENVELOPE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), json_values, max_size=4), st.text(min_size=1))
def test_any_event_has_the_user_and_all_that_it_had(more: dict, user_id: str):
    event = {**more, "messageId": "m", "type": "track"}

    stored = given_to(Stored(7, json.dumps(event, ensure_ascii=False).encode(), ENVELOPE), user_id)

    assert decode(stored.raw) == {**event, "userId": user_id}
    assert canonical_event(stored)["userId"] == user_id
