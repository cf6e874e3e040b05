"""Templates: what stands between braces, what becomes of what is missing, and what is refused when they are read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.destinations.template import compiled
from gateway.destinations.template_expression import FILTERS, MISSING
from tests.vendors.events import order, seen
from tests.vendors.generated import EVENTS

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u-1",
    "timestamp": "2026-11-25T12:00:00.250Z",
    "traits": {"email": " Ada@Example.com ", "age": 36, "vip": True, "nick": "", "none": None, "tags": ["a", "b"]},
    "properties": {
        "total": 94.45,
        "price": "12.50",
        "Order ID": "o-1",
        "a.b": "dotted",
        "products": [{"sku": "s1", "n": 2}, {"sku": "s2"}, {"n": 3}],
        "when": 1795608000,
    },
}


def rendered(template: Any, event: dict[str, Any] = EVENT) -> Any:
    return compiled(template).render(event)


def fault_of(template: Any) -> str:
    with pytest.raises(ValueError) as caught:
        compiled(template)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("{{ userId }}", "u-1"),
        ("{{userId}}", "u-1"),
        ("{{ properties.total }}", 94.45),
        ("{{ traits.vip }}", True),
        ("{{ traits.tags }}", ["a", "b"]),
        ("{{ traits.tags.1 }}", "b"),
        ("{{ properties.products.*.sku }}", ["s1", "s2"]),
        ("{{ properties.products.0 }}", {"sku": "s1", "n": 2}),
        ("{{ properties.'Order ID' }}", "o-1"),
        ('{{ properties."a.b" }}', "dotted"),
    ],
)
def test_a_text_that_is_one_placeholder_becomes_the_fields_own_value(text: str, value: object):
    assert rendered(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("of {{ userId }}", "of u-1"),
        ("{{ userId }} {{ event }}!", "u-1 Order Completed!"),
        ("{{ properties.total }} EUR", "94.45 EUR"),
        ("vip: {{ traits.vip }}", "vip: true"),
        ("tags {{ traits.tags }}", 'tags ["a","b"]'),
        ("[{{ traits.nick }}]", "[]"),
    ],
)
def test_within_a_longer_text_a_value_is_written_out(text: str, value: str):
    assert rendered(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "{{ traits.phone }}",
        "{{ traits.none }}",
        "{{ traits.email.domain }}",
        "{{ traits.tags.7 }}",
        "{{ traits.tags.first }}",
        "{{ properties.products.*.colour }}",
        "user:{{ groupId }}",
        "{{ userId }}-{{ groupId }}",
        "{{ groupId | lower }}",
    ],
)
def test_what_is_not_there_is_missing_and_so_is_a_text_that_needs_it(text: str):
    assert rendered(text) is MISSING


def test_what_is_missing_is_left_out_and_so_is_what_is_then_empty():
    template = {
        "id": "{{ userId }}",
        "phone": "{{ traits.phone }}",
        "address": {"city": "{{ traits.city }}", "zip": ["{{ traits.zip }}"]},
        "names": ["{{ traits.name }}", "{{ traits.nick }}"],
        "count": 1,
        "nothing": None,
        "settings": {},
        "more": [],
    }

    assert rendered(template) == {"id": "u-1", "names": [""], "count": 1, "nothing": None, "settings": {}, "more": []}


def test_a_body_of_which_nothing_is_left_is_missing():
    assert rendered({"phone": "{{ traits.phone }}"}) is MISSING


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("groupId or userId", "u-1"),
        ("groupId or traits.phone or event", "Order Completed"),
        ("traits.nick or userId", ""),
        ("groupId | 'none'", "none"),
        ('groupId | "it\'s"', "it's"),
        ("groupId | 0", 0),
        ("groupId | -2.5", -2.5),
        ("groupId | true", True),
        ("groupId | null", None),
        ("userId | 'none'", "u-1"),
        ("traits.vip | number | 7", 7),
        ("groupId | 'A B' | lower", "a b"),
    ],
)
def test_other_paths_and_defaults_stand_in_for_what_is_missing(expression: str, value: object):
    assert rendered(f"{{{{ {expression} }}}}") == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("traits.email | trim", "Ada@Example.com"),
        ("traits.email | lower", "ada@example.com"),
        ("traits.email | upper", "ADA@EXAMPLE.COM"),
        ("traits.email | lower | sha256", "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"),
        ("traits.email | lower | md5", "3e3417d7ef77d5932a6734b916515ed5"),
        ("traits.age | text", "36"),
        ("traits.vip | text", "true"),
        ("traits.tags | json", '["a","b"]'),
        ("traits.tags | urlencode", "%5B%22a%22%2C%22b%22%5D"),
        ("properties.price | number", 12.5),
        ("event | number", MISSING),
        ("timestamp | iso", "2026-11-25T12:00:00.250Z"),
        ("properties.when | iso", "2026-11-25T12:00:00.000Z"),
        ("timestamp | date", "2026-11-25"),
        ("timestamp | unix", 1795608000),
        ("timestamp | unix_ms", 1795608000250),
        ("event | unix", MISSING),
        ("traits.tags | lower", MISSING),
    ],
)
def test_filters_change_a_value_or_find_that_there_is_none(expression: str, value: object):
    assert rendered(f"{{{{ {expression} }}}}") == value


def test_what_is_a_hash_already_is_not_hashed_again():
    digest = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72"

    assert rendered("{{ traits.email | sha256 }}", {"traits": {"email": digest.upper()}}) == digest


def test_a_table_with_each_is_repeated_for_each_member_of_a_list():
    template = {
        "lines": {
            "$each": "properties.products",
            "sku": "{{ item.sku }}",
            "n": "{{ item.n | 1 }}",
            "of": "{{ userId }}",
        }
    }

    assert rendered(template) == {
        "lines": [{"sku": "s1", "n": 2, "of": "u-1"}, {"sku": "s2", "n": 1, "of": "u-1"}, {"n": 3, "of": "u-1"}]
    }


def test_within_a_list_a_repeated_table_adds_to_that_list():
    template = [{"kind": "first"}, {"$each": "properties.products", "sku": "{{ item.sku }}"}, {"kind": "last"}]

    assert rendered(template) == [{"kind": "first"}, {"sku": "s1"}, {"sku": "s2"}, {"kind": "last"}]


@pytest.mark.parametrize("path", ["properties.nothing", "properties.total", "userId"])
def test_without_a_list_to_repeat_for_the_table_is_missing(path: str):
    assert rendered({"lines": {"$each": path, "sku": "{{ item.sku }}"}}) is MISSING


def test_repeated_tables_may_stand_in_one_another():
    event = {"properties": {"orders": [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2}]}}
    template = {
        "$each": "properties.orders",
        "id": "{{ item.id }}",
        "lines": {"$each": "item.lines", "sku": "{{ item.sku }}"},
    }

    assert rendered(template, event) == [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2}]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ userId", "a placeholder begins with {{ and ends with }}; one of the two is missing"),
        ("userId }}", "a placeholder begins with {{ and ends with }}; one of the two is missing"),
        ("{{ }}", "{{ }}: begin with a path"),
        ("{{ 'text' }}", "begin with a path"),
        ("{{ userId anonymousId }}", "begin with a path"),
        ("{{ userId or }}", "begin with a path"),
        ("{{ properties..total }}", 'cannot understand "..total"'),
        ("{{ trait.email }}", 'an event has no "trait"; did you mean "traits"?'),
        ("{{ email }}", 'an event has no "email"; paths begin with anonymousId, category'),
        ("{{ item.sku }}", 'there is an item only in a table that has "$each"'),
        ("{{ traits.email | lowr }}", 'there is no filter "lowr"; did you mean "lower"?'),
        ("{{ traits.email | free }}", "a text as default stands in quotes"),
        ("{{ traits.email | }}", "write one filter, or one default, after each bar"),
        ("{{ traits.email | lower upper }}", "write one filter, or one default, after each bar"),
        ({"a": {"b": ["x", "{{ userId | x }}"]}}, 'a.b.1: {{ userId | x }}: there is no filter "x"'),
        ({"a": {"{{ userId }}": 1}}, "a: a key cannot hold a placeholder"),
        ({"a": {"$each": 3}}, "a.$each: write the path of a list"),
        ({"a": {"$each": "propertis.x"}}, 'did you mean "properties"?'),
        ({"a": object()}, "a: write dates and times as texts"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place_and_what_to_write(template: Any, words: str):
    assert words in fault_of(template)


def test_a_templates_text_is_not_shown():
    assert "s3cret" not in repr(compiled({"key": "s3cret"}))


def test_templates_with_the_same_text_are_equal():
    assert compiled({"a": "{{ userId }}"}) == compiled({"a": "{{ userId }}"})
    assert compiled({"a": "{{ userId }}"}) != compiled({"a": "{{ event }}"})


PATHS = (
    "userId",
    "event",
    "timestamp",
    "properties",
    "properties.total",
    "properties.products.*.price",
    "properties.products.0.name",
    "traits.email",
    "context.traits.address.city",
)


@given(
    raw=EVENTS,
    path=st.sampled_from(PATHS),
    filters=st.lists(st.sampled_from([*FILTERS, "'x'", "0", "null"]), max_size=3),
    before=st.sampled_from(["", "of "]),
)
def test_any_template_takes_any_event(raw: dict[str, Any], path: str, filters: list[str], before: str):
    template = compiled({"a": f"{before}{{{{ {' | '.join([path, *filters])} }}}}"})

    template.render(seen(raw))


def test_the_event_is_not_changed():
    event = seen(order(1))
    template = {"$each": "properties.products", "all": "{{ item }}"}

    compiled(template).render(event)

    assert event == seen(order(1))
