"""How PostHog's requests are wrapped, whose they are, and what their senders hear."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from gateway.collect.answers import ACCEPTED, COMMIT_SLOW, accepted_in_part, refused, retry_later
from gateway.collect.dialects.posthog import as_posthog, discard, translate
from gateway.collect.dialects.posthog_shared import is_posthogs
from gateway.collect.dialects.translation import Translation
from gateway.collect.refusals import Refusal

RECEIVED_AT_MS = 1_795_574_592_000


def translated(body: Any, query: dict[str, str] | None = None) -> Translation:
    wire = body if isinstance(body, bytes) else json.dumps(body).encode()
    result = translate(RECEIVED_AT_MS, wire, query or {})
    assert isinstance(result, Translation), result
    return result


EVENT = {"event": "E", "properties": {"distinct_id": "d", "token": "phc", "text": "???>>>"}}
ENCODED = base64.b64encode(json.dumps(EVENT).encode()).decode()
URL_SAFE = ENCODED.replace("+", "-").replace("/", "_").rstrip("=")


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (json.dumps(EVENT).encode(), {}),
        (json.dumps([EVENT]).encode(), {}),
        (json.dumps({"api_key": "phc", "batch": [EVENT]}).encode(), {}),
        (f" \n{json.dumps(EVENT)}\n".encode(), {}),
        (f"data={quote(ENCODED, safe='')}".encode(), {"compression": "base64"}),
        (f"data={ENCODED}".encode(), {}),
        (f"data={URL_SAFE}".encode(), {}),
        (f"ip=1&data={quote(ENCODED, safe='')}&ver=1".encode(), {}),
        (f"data={quote(json.dumps(EVENT))}".encode(), {}),
        (b"", {"data": ENCODED}),
        (b"", {"data": ENCODED.replace("+", " ")}),
        (b"", {"data": json.dumps(EVENT)}),
    ],
)
def test_a_request_is_read_however_it_is_wrapped(body: bytes, query: dict[str, str]):
    translation = translated(body, query)

    (event,) = translation.events
    assert translation.write_key == "phc"
    assert (event["type"], event["event"], event["userId"]) == ("track", "E", "d")
    assert event["properties"] == {"distinct_id": "d", "text": "???>>>"}


@pytest.mark.parametrize(
    ("body", "query", "key"),
    [
        ({"api_key": "top", "token": "t", "batch": [{"api_key": "own"}]}, {}, "top"),
        ({"token": "t", "batch": []}, {}, "t"),
        ([{"properties": {"token": "p"}}, {"api_key": "second"}], {}, "p"),
        ([{"api_key": "own", "properties": {"token": "p"}}], {"api_key": "q"}, "own"),
        ({"event": "E"}, {"token": "q"}, "q"),
        ({"event": "E", "api_key": {}}, {}, ""),
        ([5], {}, ""),
        ([], {}, ""),
    ],
)
def test_the_token_is_the_write_key(body: Any, query: dict[str, str], key: str):
    assert translated(body, query).write_key == key


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_body"),
        (b"   ", "empty_body"),
        (b"data=", "empty_body"),
        (b"data=!!!", "invalid_json"),
        (b"data=eyJh", "invalid_json"),
        (b"other=1", "invalid_json"),
        (b"{", "invalid_json"),
        (b'{"batch":{}}', "invalid_batch"),
        (b"[" * 100_000, "too_deep"),
        (b"a=1&" * 300, "invalid_json"),
    ],
)
def test_what_cannot_be_read_is_refused(body: bytes, code: str):
    refusal = translate(RECEIVED_AT_MS, body, {})

    assert isinstance(refusal, Refusal)
    assert refusal.code == code


def test_a_recording_is_dropped_and_its_token_is_known():
    body = b'{"api_key":"phc","batch":[{"event":"$snapshot","properties":{"$snapshot_data":[]}}]}'

    assert discard(RECEIVED_AT_MS, body, {}) == Translation("phc", [])
    assert discard(RECEIVED_AT_MS, b"{", {}).code == "invalid_json"


# Whose.


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"batch":[],"api_key":"phc"}', True),
        (b' {"api_key":null}', True),
        (b'{"batch":[{"properties":{"n":NaN}}],"api_key":"phc"}', True),
        (b"data=eyJhcGlfa2V5IjoicGhjIn0=", True),
        (b'{"batch":[{"event":"E","properties":{"api_key":"x"}}]}', False),
        (b'{"batch":[{"properties":{"api_key":NaN}}]}', False),
        (b'[{"api_key":"phc"}]', False),
        (b'"api_key"', False),
        (b'{"api_key"', False),
        (b'{"batch":[]}', False),
        (b"", False),
    ],
)
def test_whose_a_body_is(body: bytes, expected: bool):
    assert is_posthogs(body) is expected


# What it hears.


def test_success_is_said_as_posthog_says_it():
    assert (as_posthog(ACCEPTED).status, as_posthog(ACCEPTED).body) == (200, b'{"status":1}')


def test_what_was_refused_in_a_batch_is_listed():
    ours = accepted_in_part([(1, Refusal("missing_user", "Give it one."))], 1)

    said = json.loads(as_posthog(ours).body)

    rejected = [{"index": 1, "code": "missing_user", "message": "Give it one."}]
    assert said == {"status": 1, "rejectedCount": 1, "rejected": rejected}


@pytest.mark.parametrize("status", [429, 500])
def test_what_would_be_dropped_though_it_is_for_now_is_a_503_with_the_same_words(status: int):
    ours = retry_later("rate_limited", "Wait.", 7, status=status)

    theirs = as_posthog(ours)

    assert (theirs.status, theirs.body) == (503, ours.body)
    assert theirs.head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert theirs.head.partition(b"\r\n")[2] == ours.head.partition(b"\r\n")[2]
    assert b"\r\nRetry-After: 7\r\n" in theirs.head


@pytest.mark.parametrize("ours", [COMMIT_SLOW, refused(Refusal("invalid_json", "No."))])
def test_other_answers_are_ours(ours: Any):
    assert as_posthog(ours) is ours


# Whatever comes.
