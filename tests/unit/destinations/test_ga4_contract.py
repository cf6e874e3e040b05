"""What GA4 would drop in silence is repaired before it is sent, and the repair has a name."""

from typing import Any

import pytest

from gateway.destinations.ga4_contract import (
    RESERVED_EVENTS,
    Repairs,
    fit_event,
    fit_items,
    fit_name,
    fit_user_properties,
    fit_value,
)


def fitted(name: str, params: dict[str, Any] | None = None) -> tuple[dict[str, Any], Repairs]:
    repairs: Repairs = set()
    return fit_event(name, params or {}, "USD", repairs), repairs


def params_of(**params: Any) -> tuple[dict[str, Any], Repairs]:
    event, repairs = fitted("level_up", params)
    return event["params"], repairs


@pytest.mark.parametrize(
    ("said", "name", "repairs"),
    [
        ("level_up", "level_up", set()),
        ("Level Reached", "Level_Reached", set()),
        ("  Level   Reached ", "Level_Reached", set()),
        ("Größe gewählt", "Größe_gewählt", set()),
        ("注文", "注文", set()),
        ("a.b-c/d", "a_b_c_d", {"name_changed"}),
        ("2nd step", "custom_2nd_step", {"name_reserved"}),
        ("_private", "custom_private", {"name_reserved"}),
        ("ga_event", "custom_ga_event", {"name_reserved"}),
        ("Google_event", "custom_Google_event", {"name_reserved"}),
        ("firebase_x", "custom_firebase_x", {"name_reserved"}),
        ("gtag.x", "custom_gtag_x", {"name_changed", "name_reserved"}),
        ("x" * 41, "x" * 40, {"name_cut"}),
        ("session_start", "custom_session_start", {"name_reserved"}),
        ("Session_Start", "Session_Start", set()),
    ],
)
def test_a_name_has_letters_digits_and_underscores_and_begins_with_a_letter(said: str, name: str, repairs: set[str]):
    event, made = fitted(said)

    assert event["name"] == name
    assert made == repairs


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS))
def test_an_event_that_only_google_may_send_gets_another_name(name: str):
    event, repairs = fitted(name)

    assert event["name"] == f"custom_{name}"
    assert repairs == {"name_reserved"}


@pytest.mark.parametrize("name", ["", " ", "!!!", "_", "🎉"])
def test_a_name_without_a_letter_or_digit_is_refused_in_words(name: str):
    with pytest.raises(ValueError, match="has no letter or digit in it"):
        fitted(name)


def test_nested_params_become_flat_and_lists_become_texts():
    params, repairs = params_of(hero={"name": "Ada", "class": {"id": 3}}, tools=["rope", 3, None, {"a": 1}])

    assert params == {"hero_name": "Ada", "hero_class_id": 3, "tools": "rope,3"}
    assert repairs == {"flattened", "list_joined"}


def test_of_two_params_that_come_to_one_name_the_first_stays():
    params, repairs = params_of(**{"a b": 1, "a.b": 2})

    assert params == {"a_b": 1}
    assert repairs == {"name_changed"}


def test_what_says_nothing_is_left_out():
    params, repairs = params_of(nothing=None, empty="", blank="  ", table={}, listed=[], **{"!": 1})

    assert params == {}
    assert repairs == {"flattened", "list_joined"}


def test_booleans_are_texts():
    assert params_of(yes=True, no=False) == ({"yes": "true", "no": "false"}, set())


@pytest.mark.parametrize(
    ("key", "length"), [("note", 100), ("page_title", 300), ("page_referrer", 420), ("page_location", 1000)]
)
def test_a_text_is_cut_to_what_its_parameter_may_hold(key: str, length: int):
    assert params_of(**{key: "é" * length}) == ({key: "é" * length}, set())
    assert params_of(**{key: "é" * (length + 1)}) == ({key: "é" * length}, {"value_cut"})


def test_an_email_address_is_not_told():
    assert params_of(contact=" Ada@Example.com ", handle="@ada") == ({"handle": "@ada"}, {"email_left_out"})
    assert fit_value("ada@example.com", 36, set()) is None


def test_of_too_many_params_the_first_25_stay():
    params, repairs = params_of(**{f"p{n}": n for n in range(30)})

    assert list(params) == [f"p{n}" for n in range(25)]
    assert repairs == {"params_dropped"}


@pytest.mark.parametrize(
    ("said", "params", "repairs"),
    [
        ({"value": 5, "currency": "EUR"}, {"value": 5, "currency": "EUR"}, set()),
        ({"value": "5.50", "currency": "eur"}, {"value": 5.5, "currency": "EUR"}, set()),
        ({"value": 0, "currency": "EUR"}, {"value": 0, "currency": "EUR"}, set()),
        ({"value": 5}, {"value": 5, "currency": "USD"}, {"currency_assumed"}),
        ({"value": 5, "currency": "Euro"}, {"value": 5, "currency": "USD"}, {"currency_assumed"}),
        ({"value": "large"}, {"custom_value": "large"}, {"value_not_a_number"}),
        ({"currency": "EUR"}, {"currency": "EUR"}, set()),
        ({"currency": "Euro"}, {}, set()),
        ({"value": None}, {}, set()),
        ({"value": {"amount": 5}}, {}, set()),
    ],
)
def test_a_value_is_a_number_and_has_a_currency(said: dict[str, Any], params: dict[str, Any], repairs: set[str]):
    assert params_of(**said) == (params, repairs)


def test_an_item_has_an_id_or_a_name():
    repairs: Repairs = set()

    items = fit_items([{"item_id": "1"}, {"item_name": "Boots"}, {"price": 3}, "x", None], repairs)

    assert items == [{"item_id": "1"}, {"item_name": "Boots"}]
    assert repairs == {"items_dropped"}


def test_there_are_200_items_at_most():
    repairs: Repairs = set()

    items = fit_items([{"item_id": str(n)} for n in range(201)], repairs)

    assert [items[0], items[-1], len(items)] == [{"item_id": "0"}, {"item_id": "199"}, 200]
    assert repairs == {"items_dropped"}


def test_an_item_has_ten_params_of_its_own_at_most():
    repairs: Repairs = set()

    (item,) = fit_items([{**{f"p{n}": n for n in range(12)}, "item_id": "1", "price": 3}], repairs)

    assert item == {"item_id": "1", "price": 3, **{f"p{n}": n for n in range(10)}}
    assert repairs == {"item_params_dropped"}


def test_items_that_are_no_list_are_none():
    assert fitted("purchase", {"items": "boots"})[0]["params"] == {}
    assert fitted("purchase", {"items": []})[0]["params"] == {}


def test_user_properties_have_shorter_names_and_values():
    repairs: Repairs = set()

    found = fit_user_properties({"n" * 25: "v" * 37, "plan": "pro", "seats": 5, "beta": True}, repairs)

    assert found == {
        "n" * 24: {"value": "v" * 36},
        "plan": {"value": "pro"},
        "seats": {"value": 5},
        "beta": {"value": "true"},
    }
    assert repairs == {"name_cut", "value_cut"}


def test_there_are_25_user_properties_at_most():
    repairs: Repairs = set()

    assert len(fit_user_properties({f"p{n}": n for n in range(30)}, repairs)) == 25
    assert repairs == {"user_properties_dropped"}


def test_a_user_property_that_google_keeps_for_itself_gets_another_name():
    repairs: Repairs = set()

    assert fit_user_properties({"user_id": "u1"}, repairs) == {"custom_user_id": {"value": "u1"}}
    assert repairs == {"name_reserved"}


def test_a_name_of_marks_alone_is_none():
    assert fit_name("¿?", 40, frozenset(), set()) == ""
