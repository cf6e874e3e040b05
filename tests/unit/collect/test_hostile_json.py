"""JSON as the web sends it: each oddity has one defined answer."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.collect.digest import Digest

EVENT = b'{"type":"track","messageId":"m1","userId":"u1","event":"E","properties":{"v":%b}}'
REPAIRED = {"gateway": {"repaired": True}}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"NaN", None),
        (b"Infinity", None),
        (b"-Infinity", None),
        (b'"\\ud800"', "\ufffd"),
        (b'"\\udc00x"', "\ufffdx"),
        (b'"\\ude00\\ud83d"', "\ufffd\ufffd"),
        (b'"a\\u0000b"', "ab"),
        (b'{"k\\u0000":1}', {"k": 1}),
        (b'{"\\ud800":1}', {"\ufffd": 1}),
        (b'"\xff"', "\ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'"a\x01b"', "a\x01b"),
        (b'"a\nb"', "a\nb"),
        (b'"a\x00b"', "ab"),
        (b'["\\u0000",[{"x":"\\ud800"}]]', ["", [{"x": "\ufffd"}]]),
    ],
)
def test_what_no_reader_would_take_is_repaired_and_marked(take: Callable[..., Digest], sent: bytes, kept: Any):
    result = take(EVENT % sent)

    assert result.repaired == 1
    event = json.loads(result.raws[0])
    assert event["properties"] == {"v": kept}
    assert event["context"] == REPAIRED


@pytest.mark.parametrize(
    "sent",
    [
        b'"\\ud83d\\ude00"',
        '"\N{GRINNING FACE}"'.encode(),
        b'"caf\\u00e9"',
        b'"a\\\\u0000b"',
        b'"\\\\ud800"',
        b"123456789012345678901234567890",
        b"1e999",
        b"-0.0",
        b"0.1000000000000000055511151231257827",
        b'"\\u003cb\\u003e"',
        b'"\x7f"',
    ],
)
def test_what_is_only_unusual_is_not_called_repaired(take: Callable[..., Digest], sent: bytes):
    result = take(EVENT % sent)

    assert result.repaired == 0
    assert b"gateway" not in result.raws[0]
    assert json.loads(result.raws[0]) == json.loads(EVENT % sent)


@pytest.mark.parametrize("number", [b"123456789012345678901234567890", b"1e999", b"1.10", b"-0", b"1E+2"])
def test_numbers_stay_as_they_were_written_even_when_the_event_is_rewritten(take: Callable[..., Digest], number: bytes):
    (raw,) = take(b'{"type":"page","messageId":"m","userId":7,"properties":{"n":%b,"m":[%b]}}' % (number, number)).raws

    assert raw.count(number) == 2


def test_a_byte_order_mark_is_dropped(take: Callable[..., Digest]):
    result = take(b"\xef\xbb\xbf" + EVENT % b"1")

    assert json.loads(result.raws[0])["properties"] == {"v": 1}
    assert result.repaired == 1


def test_ids_are_repaired_before_they_are_judged(take: Callable[..., Digest], refusal: Callable[..., str]):
    result = take(b'{"type":"page","messageId":"m\\u0000","userId":"\\ud800","anonymousId":"\\u0000"}')

    event = json.loads(result.raws[0])
    assert result.message_ids == ["m"]
    assert event["userId"] == "\ufffd"
    assert "anonymousId" not in event
    assert refusal(b'{"type":"page","messageId":"m","userId":"\\u0000"}') == "missing_user"


def test_of_a_key_that_is_there_twice_the_last_value_is_read(take: Callable[..., Digest]):
    (raw,) = take(b'{"type":"page","messageId":"m","userId":7,"properties":{"a":1,"a":2}}').raws

    assert json.loads(raw)["properties"] == {"a": 2}
    assert raw.count(b'"a"') == 1


@pytest.mark.parametrize("body", [b"", b" ", b"\r\n\t "])
def test_an_empty_body_is_refused(refusal: Callable[..., str], body: bytes):
    assert refusal(body) == "empty_body"


@pytest.mark.parametrize("body", [b"5", b'"text"', b"null", b"true", b"NaN"])
def test_a_bare_value_is_no_event(refusal: Callable[..., str], body: bytes):
    assert refusal(body) == "not_an_object"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{]",
        b"hello",
        b'{"a":1}}',
        b'{"a":01}',
        b"<xml/>",
        b"\x00\x01",
        b'{"a":+1}',
        "{}".encode("utf-16"),
        b"\xff",
    ],
)
def test_what_is_no_json_at_all_is_refused(refusal: Callable[..., str], body: bytes):
    assert refusal(body) == "invalid_json"


def test_a_real_form_is_refused_with_what_to_do(refusal: Callable[..., str]):
    assert refusal(b"data=eyJ9&compression=base64") == "form_body"


def test_depth_beyond_what_any_parser_takes_is_an_answer_not_a_crash(refusal: Callable[..., str]):
    assert refusal(b"[" * 200_000) == "too_deep"
    assert refusal(b'{"a":' * 100_000 + b"1" + b"}" * 100_000) == "too_deep"
