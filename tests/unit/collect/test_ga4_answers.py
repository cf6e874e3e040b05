"""What clients of GA4 hear."""

import json
from typing import Any

import pytest

from gateway.collect.answers import ACCEPTED, COMMIT_SLOW, accepted_in_part, refused, retry_later
from gateway.collect.dialects.ga4 import DEBUG, GTAG, PROTOCOL
from gateway.collect.dialects.translation import Translation
from gateway.collect.refusals import Refusal

KEYS = {"measurement_id": "G-1", "api_secret": "secret"}


@pytest.mark.parametrize("dialect", [PROTOCOL, GTAG])
def test_success_is_googles_204(dialect: Any):
    assert (dialect.answer(ACCEPTED).status, dialect.answer(ACCEPTED).body) == (204, b"")


@pytest.mark.parametrize(
    "ours", [COMMIT_SLOW, refused(Refusal("x", "X.")), accepted_in_part([(0, Refusal("x", "X."))], 1)]
)
def test_all_else_is_said_as_everywhere(ours: Any):
    assert PROTOCOL.answer(ours) is ours


def test_the_debug_server_says_what_is_wrong():
    assert json.loads(DEBUG.answer(ACCEPTED).body) == {"validationMessages": []}
    said = DEBUG.answer(refused(Refusal("missing_user", "Give it one.")))
    message = {"fieldPath": "", "description": "Give it one.", "validationCode": "missing_user"}
    assert (said.status, json.loads(said.body)) == (200, {"validationMessages": [message]})
    busy = retry_later("rate_limited", "Wait.", 1, status=429)
    assert DEBUG.answer(busy) is busy


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"client_id": "c", "events": [{"name": "e"}, {"name": "page_view"}]}, None),
        ({"client_id": "c", "events": [{"name": "e"}, {"name": ""}]}, "missing_event_name"),
        ({"events": [{"name": "e"}]}, "missing_user"),
        ({"client_id": "c", "events": [5]}, "not_an_object"),
        ({"client_id": "c"}, "invalid_events"),
    ],
)
def test_the_debug_server_looks_at_each_event_and_keeps_none(payload: dict[str, Any], code: str | None):
    result = DEBUG.translate(json.dumps(payload).encode(), KEYS)

    assert result == Translation("secret", []) if code is None else result.code == code


# Whatever comes.
