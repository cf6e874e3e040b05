"""The default reading of an HTTP answer."""

import pytest

from gateway.destinations.classify import answer, classify_by_status, retry_after_s
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204, 299), Delivered),
        ((408, 425, 429, 500, 502, 503, 504, 520, 527, 529, 599), Retry),
        ((401, 403), Halt),
        ((301, 302, 307, 400, 404, 405, 409, 410, 413, 415, 422, 451, 501), Reject),
    ],
)
def test_the_status_decides(statuses: tuple[int, ...], outcome: type[Outcome]):
    assert {type(classify_by_status(Response(status))) for status in statuses} == {outcome}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": " 0 "}, 0),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:30 GMT", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, 90),
        ({"retry-after": "Wed, 25 Nov 2026 11:00:00 GMT", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, 0),
        ({"retry-after": "Wed, 25 Nov 2026 12:01:30 GMT"}, None),
        ({"retry-after": "soon", "date": "Wed, 25 Nov 2026 12:00:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "²"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_both_forms_of_retry_after_are_read(headers: dict[str, str], seconds: float | None, status: int):
    assert retry_after_s(Response(status, headers)) == seconds
    assert classify_by_status(Response(status, headers)) == Retry(f"HTTP {status}", seconds)


def test_a_refusal_says_what_the_vendor_did_not_like():
    outcome = classify_by_status(Response(400, body=b'{"error":\n  "unknown event name"}' + b"x" * 5000))

    assert isinstance(outcome, Reject)
    assert outcome.reason.startswith('HTTP 400: {"error": "unknown event name"}')
    assert len(outcome.reason) < 400


def test_a_body_that_is_no_text_is_no_fault():
    assert classify_by_status(Response(400, body=b"\xff\xfe")) == Reject("HTTP 400: ��")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": [1]}', {"a": [1]}),
        (b"", {}),
        (b"[1]", {}),
        (b"null", {}),
        (b"<html>", {}),
        (b'{"a"', {}),
        (b"\xff", {}),
    ],
)
def test_what_an_answer_says_is_a_json_object_or_nothing(body: bytes, said: dict[str, object]):
    assert answer(Response(200, {}, body)) == said
