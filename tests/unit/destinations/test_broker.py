"""What the kinds share that publish to a broker."""

import copy
import json
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings

from gateway.destinations import Destination, Payload, Publication, Response, Sending
from gateway.destinations.broker import topic_of, verdicts, word
from gateway.destinations.kafka import KAFKA
from gateway.destinations.nats import NATS
from gateway.model.outcome import Delivered, Halt, Outcome, Partial, Reject, Retry
from tests.vendors.events import event, seen
from tests.vendors.generated import EVENTS

KINDS = [(KAFKA, {"brokers": ["kafka:9092"]}), (NATS, {"servers": ["nats://nats:4222"]})]

every_kind = pytest.mark.parametrize(("kind", "required"), KINDS, ids=lambda value: getattr(value, "type", ""))


def judge(said: Any) -> Retry | Reject | Halt:
    return {"later": Retry("later"), "never": Reject("never"), "act": Halt("act")}[said]


def outcome(said: Any, records: int, status: int = 200) -> Outcome:
    payloads = [Payload(str(n), b"{}") for n in range(records)]
    return verdicts(Response(status, {}, orjson.dumps(said)), payloads, judge)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Order Completed", "order_completed"),
        ("  Order -- Completed! ", "order_--_completed"),
        ("checkout.started", "checkout_started"),
        ("a>b*c", "a_b_c"),
        ("Größe", "gr_e"),
        ("注文", "other"),
        ("...", "other"),
        ("x" * 500, "x" * 100),
    ],
)
def test_a_name_becomes_a_word_that_every_broker_takes(name: str, expected: str):
    assert word(name) == expected


@pytest.mark.parametrize(
    ("fields", "topic"),
    [
        ({"event": "Signed Up"}, "shop.track.signed_up"),
        ({"event": "Order Completed"}, "orders"),
        ({"event": None}, "shop.track.track"),
        ({"event": {"not": "a name"}}, "shop.track.track"),
        ({"event": 404}, "shop.track.404"),
        ({"type": "page", "name": "Order Completed"}, "shop.page.page"),
        ({"type": "identify"}, "people"),
        ({"event": "identify"}, "people"),
        ({"event": "{event}"}, "shop.track.event"),
    ],
)
def test_an_event_goes_where_its_name_leads_and_else_where_the_template_does(fields: dict[str, Any], topic: str):
    named = {"Order Completed": "orders", "identify": "people"}

    assert topic_of(seen(event(1, **fields)), "shop.{type}.{event}", named) == topic


@every_kind
@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, "user-1"),
        ({"userId": None}, "visitor-1"),
        ({"userId": ""}, "visitor-1"),
        ({"userId": 17}, "17"),
        ({"userId": ["u"]}, "visitor-1"),
        ({"userId": None, "anonymousId": None}, "msg-000001"),
    ],
)
def test_the_key_is_whose_order_the_event_belongs_to(
    kind: Destination[Any], required: dict[str, Any], fields: dict[str, Any], key: str
):
    (message,) = kind.map(seen(event(1, **fields)), kind.settings(**required))

    assert message.body["key"] == key


@every_kind
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(raw=EVENTS)
def test_any_event_becomes_one_record_that_holds_it_unchanged(
    kind: Destination[Any], required: dict[str, Any], raw: dict[str, Any]
):
    shown, chosen = seen(json.loads(json.dumps(raw))), kind.settings(**required)
    before = copy.deepcopy(shown)

    (message,) = kind.map(shown, chosen)
    publication = kind.request([Payload("m", orjson.dumps(message.body))], chosen, Sending(0))

    assert shown == before
    assert isinstance(publication, Publication)
    (record,) = publication.records
    assert record.value == orjson.dumps(shown)


def test_records_are_in_the_order_of_their_events():
    chosen = KAFKA.settings(brokers=["kafka:9092"])
    messages = [KAFKA.map(seen(event(n)), chosen)[0] for n in range(20)]

    publication = KAFKA.request([Payload("", orjson.dumps(each.body)) for each in messages], chosen, Sending(0))

    assert isinstance(publication, Publication)
    assert [record.key for record in publication.records] == [f"user-{n}" for n in range(20)]


def test_each_record_has_its_own_outcome():
    assert outcome([None, "never", "later"], 3) == Partial([Delivered(), Reject("never"), Retry("later")])


@pytest.mark.parametrize("said", [["later", "later"], ["later", "later", "later"]])
def test_a_broker_that_takes_nothing_now_is_in_trouble_as_a_whole(said: Sequence[str]):
    assert outcome(said, len(said)) == Retry("later")


def test_a_broker_that_takes_nothing_until_the_owner_acts_pauses_the_destination():
    assert outcome(["later", "act", "later"], 3) == Halt("act")


def test_a_record_that_the_owner_must_act_for_does_not_have_others_told_twice():
    assert outcome([None, "act"], 2) == Partial([Delivered(), Retry("act")])


def test_refused_records_do_not_hide_that_nothing_else_was_wrong():
    assert outcome(["never", "never"], 2) == Partial([Reject("never"), Reject("never")])


@pytest.mark.parametrize("said", [[], [None], [None, None, None], {}, "x", None, 3])
def test_an_answer_that_does_not_fit_the_records_loses_none(said: Any):
    assert outcome(said, 2) == Retry("the answer makes no sense")


def test_an_answer_that_is_no_json_loses_nothing():
    assert verdicts(Response(200, {}, b"{"), [Payload("m", b"{}")], judge) == Retry("the answer makes no sense")


def test_another_status_means_what_it_means_everywhere():
    assert outcome([None], 1, status=503) == Retry("HTTP 503")
