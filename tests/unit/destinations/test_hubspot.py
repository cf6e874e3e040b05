"""HubSpot: names, values and limits, an answer for each record, and the limits that it names."""

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations import Message, Payload, Response, Sending
from gateway.destinations.hubspot import HUBSPOT, HubSpotSettings, occurrence_id
from gateway.destinations.hubspot_properties import property_name, property_value
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import seen
from tests.vendors.hubspot import HubSpot
from tests.vendors.simulator import Received

WHO = {"context": {"traits": {"email": "ada@shop.example"}}}
REFUSED = 'Property values were not valid: [{"message":"Property \\"plan\\" does not exist"}]'


def settings(**more: Any) -> HubSpotSettings:
    return HubSpotSettings(access_token="pat-s3cret", **more)


def mapped(event: dict[str, Any], **more: Any) -> list[Message]:
    stored = {"messageId": "m-1", "type": "track", "timestamp": "2026-11-25T11:59:00.000Z", **event}
    return [*HUBSPOT.map(seen(stored), settings(**more))]


def occurrence(properties: dict[str, Any]) -> Message:
    (message,) = mapped({"event": "Signed Up", **WHO, "properties": properties}, hub_id="1")
    return message


def contacts(*ids: str) -> list[Payload]:
    """One change of each of these contacts, by the messages m-0, m-1, ..."""
    bodies = [
        {"id": known_by, "idProperty": "email", "objectWriteTraceId": f"m-{n}", "properties": {"email": known_by}}
        for n, known_by in enumerate(ids)
    ]
    return [Payload(f"m-{n}", orjson.dumps(body), "contacts") for n, body in enumerate(bodies)]


def judged(status: int, body: Any = None, payloads: list[Payload] | None = None, **headers: str) -> Outcome:
    raw = orjson.dumps(body) if body is not None else b""
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return HUBSPOT.classify(Response(status, named, raw), payloads or contacts("a@shop.example", "b@shop.example"))


def told(payloads: list[Payload], *statuses: int) -> tuple[Outcome, list[list[str]]]:
    """The outcome, and the trace ids of each request; a status stands for the simulated HubSpot's own answer."""
    simulator, said, answers = HubSpot(), [], iter(statuses)
    conversation = HUBSPOT.conversation(payloads, HubSpot.settings(), Sending(0))
    try:
        request = next(conversation)
        while True:
            headers = {key.lower(): value for key, value in request.headers.items()}
            path = request.url.removeprefix("https://vendor.example")
            received = Received(request.method, path, {}, headers, request.body)
            said.append([each["objectWriteTraceId"] for each in received.body["inputs"]])
            reply, status = simulator.answer(received), next(answers, None)
            response = Response(reply.status, {}, orjson.dumps(reply.body)) if status is None else Response(status)
            request = conversation.send(response)
    except StopIteration as end:
        return end.value, said


@pytest.mark.parametrize(
    ("key", "name"),
    [("orderId", "orderid"), ("Shipping Method", "shipping_method"), ("utm.source", "utm_source"), ("größe", "gr__e")],
)
def test_internal_names_are_in_lower_case_with_underscores(key: str, name: str):
    assert property_name(key) == name


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", "text"),
        (12, "12"),
        (12.5, "12.5"),
        (True, "true"),
        (["a", 2], "a;2"),
        ([], None),
        ([{"sku": "a"}], None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_every_value_is_a_text(value: Any, said: str | None):
    assert property_value(value) == said


def test_what_does_not_fit_into_an_occurrence_is_cut_or_left_out_and_counted():
    message = occurrence(
        {"note": "x" * 300, "page_url": "u" * 1025, "1st": "x", "n" * 51: "x", "lines": [{"sku": "a"}]}
    )

    assert message.body["properties"] == {"note": "x" * 256, "page_url": "u" * 1024}
    assert message.repairs == ["property_left_out", "value_cut"]


def test_an_occurrence_holds_fifty_properties():
    message = occurrence({f"p{n}": n for n in range(51)})

    assert [*message.body["properties"]] == [f"p{n}" for n in range(50)]
    assert message.repairs == ["property_left_out"]


def test_what_fits_needs_no_repair():
    assert occurrence({"plan": "pro", "coupon": None}).repairs == []


def test_an_event_that_hubspot_has_no_name_for_is_not_told():
    event = {"event": "Signed Up", **WHO}

    assert mapped(event) == []
    assert mapped(event, events={"Order Completed": "pe1_order"}) == []


@pytest.mark.parametrize(
    ("event", "more", "name"),
    [
        ("Signed Up", {"hub_id": "1"}, "pe1_signed_up"),
        ("  Level-Up! ", {"hub_id": "1"}, "pe1_level-up"),
        ("Completed Order", {"hub_id": "1"}, "pe1_order_completed"),
        ("Completed Order", {"events": {"Order Completed": "pe1_order"}}, "pe1_order"),
        ("Completed Order", {"events": {"Completed Order": "pe1_done"}}, "pe1_done"),
        ("Signed Up", {"events": {"Signed Up": "pe1_new"}, "hub_id": "1"}, "pe1_new"),
    ],
)
def test_the_name_of_an_event_is_the_owners_choice_or_follows_the_rule(event: str, more: dict[str, Any], name: str):
    (message,) = mapped({"event": event, **WHO}, **more)

    assert message.body["eventName"] == name


def test_pages_are_told_only_by_name():
    page = {"type": "page", "name": "Home", **WHO}

    assert mapped(page, hub_id="1") == []
    assert mapped(page, events={"Viewed Page": "pe1_page"})[0].body["eventName"] == "pe1_page"


def test_an_event_needs_an_address_or_hubspots_own_cookie():
    assert mapped({"event": "Signed Up", "userId": "user-1"}, hub_id="1") == []
    assert mapped({"event": "Signed Up", "context": {"cookies": {"hubspotutk": "u"}}}, hub_id="1")[0].body["utk"] == "u"


def test_a_contact_needs_an_address_unless_it_is_known_by_the_user_id():
    identify = {"type": "identify", "userId": "user-1", "traits": {"firstName": "Ada"}}

    assert mapped(identify) == []
    assert mapped(identify, contact_key="shop_id")[0].body["id"] == "user-1"


def test_a_group_is_told_where_companies_have_a_property_for_its_id():
    group = {"type": "group", "groupId": "g-1", "traits": {"name": "Acme"}}

    assert mapped(group) == []
    assert mapped(group, company_key="group_id")[0].body["id"] == "g-1"


def test_what_is_known_of_a_person_is_not_said_of_their_company():
    group = {"type": "group", "groupId": "g-1", "context": {"traits": {"city": "Berlin", "plan": "pro"}}}

    (message,) = mapped(group, company_key="group_id", company_properties=["plan"])

    assert message.body["properties"] == {"group_id": "g-1"}


def test_an_alias_has_no_counterpart():
    assert mapped({"type": "alias", "userId": "user-1", "previousId": "old"}, hub_id="1") == []


def test_an_occurrence_has_the_same_id_every_time():
    assert occurrence_id("m-1") == occurrence_id("m-1") == "ecb62ab8-f5aa-5a0e-bd79-ea2d50600a9c"
    assert occurrence_id("m-2") != occurrence_id("m-1")


@pytest.mark.parametrize(("key", "limit"), [("events", 500), ("contacts", 100), ("companies", 100)])
def test_a_request_holds_as_many_as_hubspot_takes(key: str, limit: int):
    assert HUBSPOT.batch_events(settings(), key) == limit


def test_a_record_that_is_refused_is_alone_in_it():
    error = {"status": "error", "message": REFUSED, "context": {"objectWriteTraceId": ["m-1"]}}

    outcome = judged(207, {"status": "COMPLETE", "results": [{"id": "1"}], "numErrors": 1, "errors": [error]})

    assert outcome == Partial([Delivered(), Reject(REFUSED)])


def test_errors_that_name_no_record_are_of_the_whole_request_so_that_it_is_halved():
    outcome = judged(207, {"results": [{"id": "1"}], "errors": [{"message": "Contact already exists", "context": {}}]})

    assert outcome == Reject("HTTP 207: Contact already exists")


@pytest.mark.parametrize("body", [{"status": "COMPLETE", "results": []}, {"results": [], "errors": []}])
def test_an_answer_by_which_nothing_was_stored_is_no_success(body: dict[str, Any]):
    assert judged(200, body) == Reject("HTTP 200: it was taken, and nothing was stored")


def test_an_answer_that_is_longer_than_what_is_read_is_believed_unless_it_speaks_of_errors():
    records = contacts("a@shop.example")

    assert HUBSPOT.classify(Response(200, {}, b'{"results":[{"id":"1'), records) == Delivered()
    assert isinstance(HUBSPOT.classify(Response(207, {}, b'{"results":[{"id":"1'), records), Reject)


@pytest.mark.parametrize(
    ("policy", "headers", "after_s"),
    [
        ("DAILY", {}, 3600),
        ("TEN_SECONDLY_ROLLING", {}, 10),
        ("SECONDLY", {}, 1),
        ("DAILY", {"retry_after": "7"}, 7),
        ("OTHER", {}, None),
    ],
)
def test_a_limit_lasts_as_long_as_its_name_says(policy: str, headers: dict[str, str], after_s: float | None):
    body = {"status": "error", "message": "You have reached your daily limit.", "policyName": policy}

    assert judged(429, body, **headers) == Retry(f"HTTP 429 {policy}", after_s)


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (204, {}, Delivered()),
        (401, {}, Halt("HTTP 401")),
        (403, {}, Halt("HTTP 403")),
        (400, {}, Reject("HTTP 400: discount was not a valid number")),
        (423, {}, Retry("HTTP 423", 2)),
        (477, {"retry_after": "600"}, Retry("HTTP 477", 600)),
        (524, {}, Retry("HTTP 524")),
    ],
)
def test_what_an_answer_means(status: int, headers: dict[str, str], outcome: Outcome):
    body = {"status": "error", "message": "discount was not a valid number", "category": "VALIDATION_ERROR"}

    assert judged(status, body if status >= 400 else None, **headers) == outcome


def test_what_is_said_again_of_a_record_goes_in_a_further_request():
    outcome, said = told(contacts("a@shop.example", "b@shop.example", "a@shop.example"))

    assert said == [["m-0", "m-1"], ["m-2"]]
    assert outcome == Delivered()


def test_a_failure_of_a_further_request_is_one_of_all_for_order_is_kept_by_saying_all_again():
    outcome, said = told(contacts("a@shop.example", "a@shop.example"), 200, 503)

    assert len(said) == 2
    assert outcome == Retry("HTTP 503")


def test_what_is_refused_at_first_is_not_said_again():
    outcome, said = told(contacts("a@shop.example", "a@shop.example"), 400)

    assert said == [["m-0"]]
    assert isinstance(outcome, Reject)


def test_a_batch_that_says_too_much_of_one_record_says_the_rest_later():
    outcome, said = told(contacts(*["a@shop.example"] * 12))

    assert len(said) == 10
    assert isinstance(outcome, Partial)
    assert [type(item) for item in outcome.items] == [Delivered] * 10 + [Retry] * 2


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("events", {"Order Completed": "order_completed"}),
        ("events", {"Order Completed": "pe1_Order Completed"}),
        ("hub_id", "eu1"),
        ("contact_key", "Shop Id"),
        ("contact_properties", ["createdAt"]),
        ("company_key", "Group-Id"),
        ("api_version", "v3"),
    ],
)
def test_a_setting_that_could_not_work_is_refused(key: str, value: Any):
    with pytest.raises(ValidationError):
        settings(**{key: value})


def test_the_token_is_tried_by_asking_whose_it_is():
    assert HUBSPOT.probe is not None
    probe = HUBSPOT.probe(settings())

    assert (probe.method, probe.url) == ("GET", "https://api.hubapi.com/account-info/2026-09/details")
    assert probe.headers["authorization"] == "Bearer pat-s3cret"
