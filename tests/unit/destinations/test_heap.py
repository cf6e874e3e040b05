"""Heap: who an event belongs to, what its properties may be, and how anonymous visitors become somebody."""

from typing import Any

import pytest

from gateway.destinations.contract import Message
from gateway.destinations.heap import HEAP, HeapSettings, user_number
from tests.vendors.events import event, seen

A_1 = "4615320754551923"


def told(fields: dict[str, Any], **said: Any) -> list[Message]:
    return list(HEAP.map(seen(fields), HeapSettings(app_id="1", **said)))


def properties_of(**properties: Any) -> dict[str, Any]:
    (message,) = told(event(1, event="A", properties=properties))
    found: dict[str, Any] = message.body["properties"]
    return found


def test_a_user_is_an_identity_and_a_visitor_is_a_number_and_no_event_has_both():
    (known,) = told(event(1, event="A", userId="u-1", anonymousId="a-1"))
    (unknown,) = told(event(2, event="A", userId=None, anonymousId="a-1"))

    assert (known.body["identity"], known.body.get("user_id")) == ("u-1", None)
    assert (unknown.body["user_id"], unknown.body.get("identity")) == (A_1, None)


def test_the_number_of_a_visitor_is_always_the_same_and_below_2_to_the_53():
    assert str(user_number("a-1")) == A_1
    assert all(0 <= user_number(f"visitor-{n}") < 2**53 for n in range(1000))


@pytest.mark.parametrize(
    ("said", "number"),
    [("42", "42"), (42, "42"), ("9007199254740991", "9007199254740991")]
    + [(each, A_1) for each in ("9007199254740992", "-1", "1.5", "abc", "", None, "9" * 5000)],
)
def test_the_number_of_heaps_own_script_is_taken_where_it_is_given(said: object, number: str):
    given = event(1, event="A", userId=None, anonymousId="a-1", integrations={"Heap": {"userId": said}})

    assert told(given)[0].body["user_id"] == number


def test_nobodys_and_nameless_events_are_not_told():
    assert told(event(1, event="A", userId=None, anonymousId=None)) == []
    assert told(event(1, event="", properties={})) == []


def test_properties_are_texts_and_numbers_on_one_level():
    assert properties_of(
        text="a",
        number=1.5,
        yes=True,
        no=False,
        zero=0,
        nothing=None,
        empty="",
        tags=["a", None, 2, True],
        rows=[{"a": 1}, {"b": [1, 2]}],
        deep={"a": {"b": {"c": {"d": {"e": 1}}}}},
    ) == {
        "text": "a",
        "number": 1.5,
        "yes": "true",
        "no": "false",
        "zero": 0,
        "tags": "a||2||true",
        "rows.0.a": 1,
        "rows.1.b": "1||2",
        "deep.a.b.c.d": '{"e":1}',
    }


def test_what_is_too_long_is_cut_and_counted():
    (message,) = told(event(1, event="x" * 2000, properties={"k" * 2000: "v" * 2000}))

    assert len(message.body["event"]) == 1024
    assert [(len(key), len(value)) for key, value in message.body["properties"].items()] == [(1023, 1023)]
    assert message.repairs == ("property_cut", "name_cut")


def test_a_user_id_that_is_too_long_is_refused_for_cut_it_would_be_somebody_elses():
    with pytest.raises(ValueError, match="the userId has 256 characters, accepted are 255"):
        told(event(1, event="A", userId="u" * 256))


def test_an_identify_tells_properties_and_whose_the_visitor_is():
    properties, identification = told(
        event(1, type="identify", userId="u-1", anonymousId="a-1", traits={"plan": "pro", "Id": 7})
    )

    assert (properties.key, properties.repairs) == ("add_user_properties", ("id_left_out",))
    assert properties.body == {"identity": "u-1", "properties": {"plan": "pro"}}
    assert identification.key == "v1/identify"
    assert identification.body == {"identity": "u-1", "user_id": A_1, "timestamp": "2026-11-25T11:59:00.000Z"}


def test_an_identify_without_a_visitor_or_without_a_user_says_less():
    without_visitor = event(1, type="identify", userId="u-1", anonymousId=None, traits={"plan": "pro"})
    without_user = event(1, type="identify", userId=None, anonymousId="a-1", traits={"plan": "pro"})

    assert [message.key for message in told(without_visitor)] == ["add_user_properties"]
    assert told(without_user) == []


def test_a_group_says_whose_account_it_is_where_the_property_has_a_name():
    group = event(1, type="group", userId="u-1", groupId="g-1", traits={"name": "Acme"})

    assert [message.key for message in told(group)] == ["add_account_properties"]
    assert [message.body for message in told(group, account_property="Company")] == [
        {"account_id": "g-1", "properties": {"name": "Acme"}},
        {"identity": "u-1", "properties": {"Company": "g-1"}},
    ]


def test_identifications_go_one_by_one_and_everything_else_by_the_thousand():
    settings = HeapSettings(app_id="1")

    keys = ("track", "add_user_properties", "add_account_properties", "v1/identify")
    assert [HEAP.batch_events(settings, key) for key in keys] == [1000, 1000, 1000, 1]
