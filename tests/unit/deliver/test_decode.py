"""From the queue's bytes to the canonical event."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.decode import EventCache, decode
from gateway.model.envelope import Envelope, Stored

WEB = Envelope("web", 1_795_608_000_000)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", 2.0**64),
        ("-9223372036854775809", -(2.0**63)),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("1" * 400, "1" * 400),
        ("0.1", 0.1),
    ],
)
@pytest.mark.parametrize("beside", ["1", "1e999"])
def test_numbers_beyond_64_bits_follow_one_rule_whichever_parser_reads_them(written: str, read: object, beside: str):
    event = decode(f'{{"type":"track","big":{written},"beside":{beside}}}'.encode())

    assert event["big"] == read
    assert orjson.loads(orjson.dumps(event)) == event


def test_of_two_equal_keys_the_last_one_wins_in_both_parsers():
    assert decode(b'{"a":1,"a":2}')["a"] == decode(b'{"a":1,"a":2,"b":1e999}')["a"] == 2


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b"null", b"\xff", b'"text"'])
def test_what_is_no_json_object_is_a_value_error(raw: bytes):
    with pytest.raises(ValueError):
        decode(raw)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab\U0001f600"), st.lists))
def test_whatever_number_a_client_writes_can_be_encoded_again(value: object):
    raw = orjson.dumps({"v": None}).replace(b"null", _json(value).encode())

    orjson.dumps(decode(raw))


def _json(value: object) -> str:
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return orjson.dumps(value).decode()


def stored(offset: int, text: str = "x") -> Stored:
    return Stored(offset, orjson.dumps({"messageId": f"m{offset}", "type": "track", "text": text}), WEB)


def test_workers_near_the_head_share_one_decode():
    cache = EventCache(max_bytes=1000)

    first = cache.canonical(stored(1))

    assert cache.canonical(stored(1)) is first
    assert first["receivedAt"] == "2026-11-25T12:00:00.000Z"


def test_the_cache_forgets_the_oldest_when_it_is_full():
    cache = EventCache(max_bytes=500)
    first = cache.canonical(stored(1))

    for offset in range(2, 20):
        newest = cache.canonical(stored(offset))

    assert cache.canonical(stored(19)) is newest
    assert cache.canonical(stored(1)) is not first


def test_a_laggard_does_not_push_out_what_the_others_need():
    cache = EventCache(max_bytes=500)
    for offset in range(100, 120):
        newest = cache.canonical(stored(offset))

    for offset in range(50):
        cache.canonical(stored(offset))

    assert cache.canonical(stored(119)) is newest
