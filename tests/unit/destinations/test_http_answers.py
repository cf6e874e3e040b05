"""What the answers of an API mean: the default table, and what the owner says beyond it."""

from typing import Any

import orjson
import pytest

from gateway.destinations.contract import Payload
from gateway.destinations.http_answers import AnswerSettings, outcome_of
from gateway.destinations.http_messages import Response
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry

THREE = [Payload(f"m{n}", b"{}") for n in range(3)]


def outcome(status: int, body: Any = None, payloads: list[Payload] = THREE, /, **rules: Any) -> Outcome:
    raw = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    return outcome_of(Response(status, {"retry-after": "5"}, raw), payloads, AnswerSettings(**rules))


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (200, Delivered()),
        (204, Delivered()),
        (302, Halt("HTTP 302")),
        (400, Reject("HTTP 400")),
        (401, Halt("HTTP 401")),
        (404, Reject("HTTP 404")),
        (429, Retry("HTTP 429", 5.0)),
        (500, Retry("HTTP 500", 5.0)),
    ],
)
def test_a_status_means_what_it_means_everywhere_but_a_redirect_needs_the_owner(status: int, meaning: Outcome):
    assert outcome(status) == meaning


@pytest.mark.parametrize(
    ("rules", "status", "meaning"),
    [
        ({"success": [409]}, 409, Delivered()),
        ({"retry": [404, 409]}, 409, Retry("HTTP 409", 5.0)),
        ({"reject": [500]}, 500, Reject("HTTP 500")),
        ({"halt": [402]}, 402, Halt("HTTP 402")),
        ({"reject": [302]}, 302, Reject("HTTP 302")),
        ({"retry": [401]}, 401, Retry("HTTP 401", 5.0)),
    ],
)
def test_the_owner_may_give_a_status_another_meaning(rules: dict[str, Any], status: int, meaning: Outcome):
    assert outcome(status, **rules) == meaning


def test_words_of_the_peer_go_into_the_reason():
    assert outcome(422, {"error": "no such list"}) == Reject('HTTP 422: {"error":"no such list"}')


def test_a_success_may_hang_on_what_the_answer_says():
    said = {"success_if": {"field": "ok", "equals": True}}

    assert outcome(200, {"ok": True}, **said) == Delivered()
    assert outcome(200, {"ok": False, "why": "bad"}, **said) == Reject('HTTP 200: {"ok":false,"why":"bad"}')
    assert outcome(200, {}, **said) == Reject("HTTP 200: {}")
    assert outcome(200, [1], **said) == Reject("HTTP 200: [1]")
    assert outcome(200, b"<html>", **said) == Retry("HTTP 200: no JSON")
    assert outcome(200, None, **said) == Retry("HTTP 200: no JSON")


def test_some_answers_mean_that_it_is_to_be_tried_again_whatever_their_status():
    said = {"retry_if": {"field": "error.code", "one_of": ["busy", "quota"]}}

    assert outcome(200, {"error": {"code": "busy"}}, **said) == Retry('HTTP 200: {"error":{"code":"busy"}}', 5.0)
    assert isinstance(outcome(400, {"error": {"code": "quota"}}, **said), Retry)
    assert isinstance(outcome(400, {"error": {"code": "bad"}}, **said), Reject)


def test_some_answers_mean_that_the_owner_must_act_whatever_their_status():
    said = {"halt_if": {"field": "error", "matches": ["key_*"]}}

    assert outcome(200, {"error": "key_revoked"}, **said) == Halt('HTTP 200: {"error":"key_revoked"}')
    assert isinstance(outcome(400, {"error": "key_expired"}, **said), Halt)
    assert outcome(200, {"error": None}, **said) == Delivered()


def test_a_condition_is_never_true_of_what_is_no_table():
    said = {"halt_if": {"field": "error", "exists": False}}

    assert outcome(200, b"ok", **said) == Delivered()
    assert isinstance(outcome(200, {}, **said), Halt)


def test_errors_of_single_events_are_theirs_alone():
    answer = {"result": {"errors": [{"index": 1, "message": "no such user"}]}}

    assert outcome(200, answer, errors="result.errors") == Partial([Delivered(), Reject("no such user"), Delivered()])


def test_the_keys_of_an_error_may_have_any_name():
    answer = {"failed": [{"row": "2", "why": {"text": "too long"}}]}

    assert outcome(207, answer, errors="failed", index="row", reason="why.text") == Partial(
        [Delivered(), Delivered(), Reject("too long")]
    )


def test_an_answer_may_be_the_list_itself_with_a_status_for_each_event():
    """Honeycomb's "Create Events"."""
    answer = [{"status": 202}, {"status": 400, "error": "too many columns"}, {"status": 429, "error": "slow down"}]

    assert outcome(200, answer, errors=".", index="", status="status", reason="error") == Partial(
        [Delivered(), Reject("400: too many columns"), Retry("429: slow down")]
    )


def test_only_some_members_of_a_list_may_be_errors():
    answer = {"items": [{"ok": True}, {"ok": False, "message": "bad"}, {"ok": True}]}

    assert outcome(200, answer, errors="items", index="", error_if={"field": "ok", "equals": False}) == Partial(
        [Delivered(), Reject("bad"), Delivered()]
    )


@pytest.mark.parametrize("answer", [None, {}, {"errors": []}, {"errors": None}, {"errors": 3}, []])
def test_without_errors_all_is_delivered(answer: Any):
    assert outcome(200, answer, errors="errors") == Delivered()


def test_an_answer_that_should_list_errors_and_cannot_be_read_is_asked_for_again():
    assert outcome(200, b"<html>", errors="errors") == Retry("HTTP 200: no JSON")


@pytest.mark.parametrize("error", [{"message": "bad"}, {"index": 3, "message": "bad"}, {"index": -1, "message": "bad"}])
def test_an_error_whose_place_is_not_known_is_everybodys_who_then_are_sent_by_halves(error: dict[str, Any]):
    assert outcome(200, {"errors": [error]}, errors="errors") == Reject("bad")


def test_an_error_of_a_single_event_is_its_own_whatever_its_place():
    assert outcome(200, {"errors": [{"message": "bad"}]}, THREE[:1], errors="errors") == Partial([Reject("bad")])


def test_an_error_without_words_is_shown_as_it_is():
    assert outcome(200, {"errors": [{"index": 0, "code": 7}]}, THREE[:1], errors="errors") == Partial(
        [Reject('{"index":0,"code":7}')]
    )


def test_refused_credentials_of_a_single_event_are_that_events_matter():
    answer = {"errors": [{"index": 0, "code": 403, "message": "not yours"}]}

    assert outcome(200, answer, errors="errors", status="code") == Partial(
        [Reject("403: not yours"), Delivered(), Delivered()]
    )
