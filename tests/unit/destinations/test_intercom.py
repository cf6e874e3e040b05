"""Intercom: create, else update; events of unknown users; what metadata can hold."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations import Message, Payload, Response, Sending
from gateway.destinations.intercom import INTERCOM, IntercomSettings
from gateway.model.outcome import Delivered, Halt, Outcome, Reject, Retry
from tests.vendors.events import AT_MS, seen

ID = "5da6f18e3d7cf967e4582d05"
EXISTS = (409, "conflict", f"A contact matching those details already exists with id={ID}")
ARCHIVED = (409, "conflict", f"An archived contact matching those details already exists with id={ID}")
UNKNOWN = (404, "not_found", "User Not Found")
BOTH = {"type": "identify", "userId": "25", "traits": {"email": "wash@serenity.io"}}
EVENT = {"event": "Signed Up", "userId": "25"}


def settings(**more: Any) -> IntercomSettings:
    return IntercomSettings(access_token="dG9r-s3cret", **more)


def mapped(event: dict[str, Any], **more: Any) -> list[Message]:
    stored = {"messageId": "m-1", "type": "track", "timestamp": "2026-11-25T11:59:00.000Z", **event}
    return [*INTERCOM.map(seen(stored), settings(**more))]


def metadata(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    (message,) = mapped({**EVENT, "properties": properties}, **more)
    said: dict[str, Any] = message.body.get("metadata", {})
    return said


def response(answer: int | tuple[int, str, str] | dict[str, Any]) -> Response:
    """A status, an error, or the body of a success."""
    if isinstance(answer, dict):
        return Response(200, {}, orjson.dumps(answer))
    if isinstance(answer, int):
        return Response(answer)
    status, code, message = answer
    return Response(status, {}, orjson.dumps({"type": "error.list", "errors": [{"code": code, "message": message}]}))


def told(event: dict[str, Any], *answers: Any) -> tuple[Outcome, Sequence[str]]:
    """The outcome of telling Intercom of an event, and what was asked of it until then."""
    (message,) = mapped(event)
    payload = Payload("m-1", orjson.dumps(message.body), message.key)
    conversation, asked = INTERCOM.conversation([payload], settings(), Sending(AT_MS)), []
    try:
        request = next(conversation)
        for answer in answers:
            asked.append(f"{request.method} {request.url.removeprefix('https://api.intercom.io')}")
            request = conversation.send(answer if isinstance(answer, Response) else response(answer))
    except StopIteration as end:
        return end.value, asked
    raise AssertionError(f"{request} was not answered")


def test_a_contact_that_is_new_is_created():
    assert told(BOTH, {"id": ID}) == (Delivered(), ["POST /contacts"])


def test_a_contact_that_exists_is_updated():
    outcome, asked = told(BOTH, EXISTS, {"id": ID, "external_id": "25"}, {"id": ID})

    assert outcome == Delivered()
    assert asked == ["POST /contacts", f"GET /contacts/{ID}", f"PUT /contacts/{ID}"]


def test_a_contact_that_was_known_by_the_address_alone_is_given_the_user_id():
    outcome, asked = told(BOTH, EXISTS, {"id": ID, "external_id": None}, {"id": ID})

    assert outcome == Delivered()
    assert asked[-1] == f"PUT /contacts/{ID}"


def test_the_contact_of_another_user_with_the_same_address_is_left_alone():
    outcome, asked = told(BOTH, EXISTS, {"id": ID, "external_id": "26"})

    assert outcome == Reject(f"the e-mail address is that of another user's contact, id={ID}")
    assert asked == ["POST /contacts", f"GET /contacts/{ID}"]


@pytest.mark.parametrize("known", [{"userId": "25"}, {"traits": {"email": "wash@serenity.io"}}])
def test_with_one_identity_there_is_nothing_to_compare(known: dict[str, Any]):
    outcome, asked = told({"type": "identify", **known}, EXISTS, {"id": ID})

    assert outcome == Delivered()
    assert asked == ["POST /contacts", f"PUT /contacts/{ID}"]


def test_a_contact_that_the_owner_archived_is_not_brought_back():
    outcome, asked = told(BOTH, ARCHIVED)

    assert outcome == Reject(f"HTTP 409: conflict: {ARCHIVED[2]}")
    assert asked == ["POST /contacts"]


def test_an_event_of_somebody_whom_intercom_knows_is_one_request():
    assert told(EVENT, 202) == (Delivered(), ["POST /events"])


def test_an_event_of_somebody_unknown_is_told_again_once_they_exist():
    outcome, asked = told(EVENT, UNKNOWN, {"id": ID}, 202)

    assert outcome == Delivered()
    assert asked == ["POST /events", "POST /contacts", "POST /events"]


def test_the_contact_of_an_event_may_exist_all_the_same():
    assert told(EVENT, UNKNOWN, EXISTS, 202)[0] == Delivered()


def test_an_event_is_told_again_once_and_no_more():
    outcome, asked = told(EVENT, UNKNOWN, {"id": ID}, UNKNOWN)

    assert outcome == Reject("HTTP 404: not_found: User Not Found")
    assert len(asked) == 3


@pytest.mark.parametrize("failure", [429, 500])
def test_a_failure_on_the_way_lets_all_of_it_be_tried_again(failure: int):
    assert isinstance(told(EVENT, UNKNOWN, failure)[0], Retry)
    assert isinstance(told(EVENT, UNKNOWN, {"id": ID}, failure)[0], Retry)


def test_a_creation_that_gives_no_id_is_no_delivery_of_the_event():
    assert told(EVENT, UNKNOWN, {}) == (Retry("HTTP 200 without an id"), ["POST /events", "POST /contacts"])


def test_an_event_of_an_archived_contact_is_refused():
    assert isinstance(told(EVENT, UNKNOWN, ARCHIVED)[0], Reject)


def test_the_person_is_attached_to_the_company():
    group = {"type": "group", "groupId": "6", "userId": "25", "traits": {"name": "Acme"}}

    outcome, asked = told(group, {"id": "c1"}, {"id": ID}, {"id": "c1"})

    assert outcome == Delivered()
    assert asked == ["POST /companies", "POST /contacts", f"POST /contacts/{ID}/companies"]


def test_a_company_of_which_nobody_is_named_is_stored_alone():
    group = {"type": "group", "groupId": "6", "traits": {"email": "office@acme.example"}}

    assert told(group, {"id": "c1"}) == (Delivered(), ["POST /companies"])


@pytest.mark.parametrize(
    "event",
    [
        {"event": "Signed Up", "anonymousId": "v-1"},
        {"type": "identify", "anonymousId": "v-1", "traits": {"plan": "pro"}},
        {"type": "page", "name": "Home", "userId": "25"},
        {"type": "alias", "userId": "25", "previousId": "old"},
    ],
)
def test_what_has_no_counterpart_is_not_told(event: dict[str, Any]):
    assert mapped(event) == []


def test_an_event_names_one_identity():
    (message,) = mapped({**EVENT, "context": {"traits": {"email": "wash@serenity.io"}}})

    assert message.body["user_id"] == "25"
    assert "email" not in message.body


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({"a": "x", "n": 1.5, "none": None, "empty": ""}, {"a": "x", "n": 1.5}),
        ({"price": 12.5, "currency": "USD"}, {"price": {"amount": 1250, "currency": "usd"}, "currency": "USD"}),
        ({"price": 12.5}, {"price": 12.5}),
        ({"discount": -5, "currency": "USD"}, {"discount": -5, "currency": "USD"}),
        ({"start_date": "2026-11-25"}, {"start_date": 1795564800}),
        ({"start_date": "soon"}, {"start_date": "soon"}),
        ({"is_gift": True}, {"is_gift": "true"}),
        ({"tags": ["a", "b"]}, {"tags": "a, b"}),
        ({"lines": [{"sku": "a"}]}, {}),
        ({"link": {"url": "https://a.example", "value": "A"}}, {"link": {"url": "https://a.example", "value": "A"}}),
        ({"address": {"city": "Berlin"}}, {"address_city": "Berlin"}),
    ],
)
def test_metadata_has_one_level_of_what_intercom_knows(properties: dict[str, Any], said: dict[str, Any]):
    assert metadata(properties) == said


def test_metadata_is_cut_to_as_many_keys_as_intercom_keeps():
    (message,) = mapped({**EVENT, "properties": {f"p{n}": n for n in range(11)}})

    assert [*message.body["metadata"]] == [f"p{n}" for n in range(10)]
    assert message.repairs == ["metadata_left_out"]
    assert len(metadata({f"p{n}": n for n in range(30)}, max_metadata=20)) == 20


def test_traits_are_told_where_intercom_has_an_attribute():
    identify = {"type": "identify", "userId": "25", "traits": {"plan": "pro", "vip": True, "nested": {"a": 1}}}

    (message,) = mapped(identify, contact_attributes=["plan", "vip", "nested", "absent"])

    assert message.body["custom_attributes"] == {"plan": "pro", "vip": True}


@pytest.mark.parametrize(("size", "said"), [(750.9, 750), ("12", 12), (-1, None), (10**12, None), ("many", None)])
def test_numbers_of_a_company_are_whole_and_within_bounds(size: Any, said: int | None):
    (message,) = mapped({"type": "group", "groupId": "6", "traits": {"employees": size}})

    assert message.body["company"].get("size") == said


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (response((401, "unauthorized", "Access Token Invalid")), Halt("HTTP 401")),
        (response((403, "forbidden", "missing scope")), Halt("HTTP 403")),
        (
            response((400, "parameter_invalid", "Custom attribute 'plan' does not exist")),
            Reject("HTTP 400: parameter_invalid: Custom attribute 'plan' does not exist"),
        ),
        (Response(429, {"x-ratelimit-reset": str(AT_MS // 1000 + 7)}), Retry("HTTP 429", 7)),
        (Response(429, {"x-ratelimit-reset": str(AT_MS // 1000 - 7)}), Retry("HTTP 429", 0)),
        (Response(429, {"x-ratelimit-reset": "9", "retry-after": "3"}), Retry("HTTP 429", 3)),
        (Response(503, {"x-ratelimit-reset": str(AT_MS // 1000 + 7)}), Retry("HTTP 503")),
    ],
)
def test_what_an_answer_means(answer: Response, outcome: Outcome):
    assert told(EVENT, answer)[0] == outcome


@pytest.mark.parametrize(
    ("key", "value"), [("api_version", "latest"), ("max_metadata", 0), ("base_url", "api.intercom.io")]
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: Any):
    with pytest.raises(ValidationError):
        settings(**{key: value})


def test_the_token_is_tried_by_asking_whose_it_is():
    assert INTERCOM.probe is not None
    probe = INTERCOM.probe(settings(base_url="https://api.eu.intercom.io/"))

    assert (probe.method, probe.url, probe.body) == ("GET", "https://api.eu.intercom.io/me", b"")
    assert probe.headers["intercom-version"] == "2.14"
