"""Any JSON API, described in the configuration: requests, routes, batches, and what is refused when it is read."""

import json
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from gateway.destinations.contract import Payload, Sending
from gateway.destinations.http import HTTP
from gateway.destinations.http_messages import Request
from gateway.destinations.http_settings import HttpSettings
from tests.vendors.events import event, order, seen
from tests.vendors.golden import payloads_for

URL = "https://api.example/v1/events"
BODY = {"id": "{{ messageId }}"}


def http(**said: Any) -> HttpSettings:
    return HttpSettings(**{"url": URL, **said})


def payloads(settings: HttpSettings, *events: dict[str, Any]) -> list[Payload]:
    return payloads_for(HTTP, settings, events)


def sent(settings: HttpSettings, *events: dict[str, Any]) -> Request:
    request = HTTP.request(payloads(settings, *events), settings, Sending(0))
    assert isinstance(request, Request)
    return request


def fault_of(**said: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        http(**said)
    return str(caught.value)


def test_without_a_body_of_its_own_the_event_is_told_as_it_is():
    request = sent(http(), event(1, event="Signed Up"))

    assert (request.method, request.url) == ("POST", URL)
    assert request.headers == {"content-type": "application/json"}
    assert json.loads(request.body) == seen(event(1, event="Signed Up"))


def test_a_body_may_be_one_placeholder_and_then_is_the_fields_value():
    settings = http(body="{{ properties }}")

    assert json.loads(sent(settings, event(1, event="A", properties={"a": 1})).body) == {"a": 1}
    assert payloads(settings, event(2, event="A")) == []


def test_a_body_may_be_a_list():
    assert json.loads(sent(http(body=["{{ event }}", 1]), event(1, event="A")).body) == ["A", 1]


def test_an_event_of_whose_body_nothing_is_left_is_not_told():
    assert payloads(http(body={"phone": "{{ properties.phone }}"}), event(1, event="A")) == []


@pytest.mark.parametrize(
    ("user_id", "path"),
    [
        ("u-1", "/users/u-1"),
        ("a/b?c=d#e", "/users/a%2Fb%3Fc%3Dd%23e"),
        ("Ünï cöde", "/users/%C3%9Cn%C3%AF%20c%C3%B6de"),
        ("%2e%2e", "/users/%252e%252e"),
    ],
)
def test_what_an_event_brings_into_an_address_is_encoded(user_id: str, path: str):
    settings = http(url="https://api.example/users/{{ userId }}", method="PUT", body=BODY)

    assert sent(settings, event(1, event="A", userId=user_id)).url == f"https://api.example{path}"


def test_the_filter_urlencode_does_not_encode_an_address_twice():
    settings = http(url="https://api.example/{{ userId | urlencode }}?e={{ event | urlencode }}", body=BODY)

    assert sent(settings, event(1, event="A B", userId="a/b")).url == "https://api.example/a%2Fb?e=A%20B"


@pytest.mark.parametrize("user_id", [None, "", ".", ".."])
def test_an_event_that_would_lead_elsewhere_is_not_told(user_id: str | None):
    settings = http(url="https://api.example/users/{{ userId }}", body=BODY)

    assert payloads(settings, event(1, event="A", userId=user_id)) == []


def test_events_of_different_addresses_do_not_share_a_request():
    settings = http(url="https://api.example/{{ event | lower }}", body=BODY, batch_as="array")

    first, second, third = payloads(settings, event(1, event="A"), event(2, event="B"), event(3, event="A"))

    assert first.key == third.key != second.key


def test_headers_are_sent_and_content_type_may_be_another():
    settings = http(headers={"X-Api-Key": "s3cret", "Content-Type": "application/vnd.api+json"})

    request = sent(settings, event(1, event="A"))

    assert request.headers == {"x-api-key": "s3cret", "content-type": "application/vnd.api+json"}


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"bearer": "s3cret"}, "Bearer s3cret"),
        ({"basic": {"username": "ada", "password": "s3cret"}}, "Basic YWRhOnMzY3JldA=="),
    ],
)
def test_credentials_stand_in_the_authorization_header(auth: dict[str, Any], header: str):
    assert sent(http(auth=auth), event(1, event="A")).headers["authorization"] == header


@pytest.mark.parametrize(
    ("url", "told"), [(URL, f"{URL}?api%20key=s3cret%26"), (f"{URL}?a=1", f"{URL}?a=1&api%20key=s3cret%26")]
)
def test_a_key_may_stand_in_the_query(url: str, told: str):
    settings = http(url=url, auth={"query": {"name": "api key", "value": "s3cret&"}})

    assert sent(settings, event(1, event="A")).url == told


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_method_without_a_body_sends_none(method: str):
    request = sent(http(url="https://api.example/ping?u={{ userId }}", method=method), event(1, event="A"))

    assert (request.method, request.url, request.body) == (method, "https://api.example/ping?u=user-1", b"")
    assert "content-type" not in request.headers


@pytest.mark.parametrize(
    ("said", "body", "content_type"),
    [
        ({"batch_as": "array"}, b'[{"id":"msg-000001"},{"id":"msg-000002"}]', "application/json"),
        ({"batch_as": "ndjson"}, b'{"id":"msg-000001"}\n{"id":"msg-000002"}\n', "application/x-ndjson"),
        (
            {"batch_as": "object", "batch_key": "events"},
            b'{"events":[{"id":"msg-000001"},{"id":"msg-000002"}]}',
            "application/json",
        ),
        (
            {"batch_as": "object", "batch_key": "events", "batch_with": {"api_key": "s3cret", "source": {"v": 1}}},
            b'{"api_key":"s3cret","source":{"v":1},"events":[{"id":"msg-000001"},{"id":"msg-000002"}]}',
            "application/json",
        ),
    ],
)
def test_several_events_share_a_request_in_the_apis_own_way(said: dict[str, Any], body: bytes, content_type: str):
    request = sent(http(body=BODY, **said), event(1, event="A"), event(2, event="B"))

    assert request.body == body
    assert request.headers["content-type"] == content_type


def test_only_where_it_is_said_do_events_share_a_request():
    routes = [
        {"name": "one", "types": ["identify"], "method": "PUT"},
        {"name": "many", "types": ["track"], "batch_as": "array"},
        {"name": "ping", "types": ["page"], "batch_as": "none"},
    ]
    settings = http(routes=routes, batch={"max_events": 400})

    assert [HTTP.batch_events(settings, f"{name} {URL}") for name in ("one", "many", "ping")] == [1, 400, 1]


def test_the_message_id_goes_where_the_api_looks_for_it():
    body = {"name": "{{ event }}"}

    request = sent(http(body=body, dedup="insert_id", dedup_header="Idempotency-Key"), event(1, event="A"))

    assert json.loads(request.body) == {"insert_id": "msg-000001", "name": "A"}
    assert request.headers["idempotency-key"] == "msg-000001"


def test_a_key_that_the_body_has_already_is_kept():
    settings = http(body={"id": "{{ properties.order_id }}"}, dedup="id")

    assert json.loads(sent(settings, order(1)).body) == {"id": "o-1"}


def test_the_key_of_several_events_is_the_same_at_every_attempt():
    settings = http(body=BODY, batch_as="array", dedup_header="Idempotency-Key")

    first, second = sent(settings, order(1), order(2)), sent(settings, order(1), order(2))

    assert first.headers == second.headers
    assert first.headers["idempotency-key"] != sent(settings, order(1)).headers["idempotency-key"]


ROUTES = [
    {"name": "orders", "events": ["Order *"], "url": "https://api.example/orders", "body": {"o": "{{ event }}"}},
    {
        "name": "people",
        "types": ["identify"],
        "where": [{"field": "traits.email", "exists": True}],
        "url": "https://api.example/people",
        "method": "PUT",
        "headers": {"X-Kind": "person"},
    },
    {"name": "rest", "types": ["track"]},
]


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ({"event": "Order Completed"}, "https://api.example/orders"),
        ({"type": "identify", "traits": {"email": "a@b.example"}}, "https://api.example/people"),
        ({"type": "identify", "traits": {"plan": "pro"}}, None),
        ({"event": "Signed Up"}, URL),
        ({"type": "page", "name": "Home"}, None),
    ],
)
def test_the_first_route_that_fits_is_sent_and_what_none_fits_is_not_told(told: dict[str, Any], address: str | None):
    found = payloads(http(body=BODY, routes=ROUTES), event(1, **told))

    assert [payload.key.split(" ")[1] for payload in found] == ([address] if address else [])


def test_what_a_route_does_not_say_the_destination_says():
    settings = http(headers={"X-Api-Key": "s3cret"}, body=BODY, routes=ROUTES)

    orders = sent(settings, order(1))
    people = sent(settings, event(1, type="identify", traits={"email": "a@b.example"}))

    assert (orders.method, orders.headers["x-api-key"], orders.body) == ("POST", "s3cret", b'{"o":"Order Completed"}')
    assert (people.method, people.headers["x-kind"], people.body) == ("PUT", "person", b'{"id":"msg-000001"}')
    assert people.headers["x-api-key"] == "s3cret"


def test_a_route_may_take_back_what_the_destination_says():
    settings = http(
        body=BODY,
        batch_as="object",
        batch_key="events",
        routes=[{"name": "one", "types": ["identify"], "batch_as": "none"}, {"name": "many"}],
    )

    assert sent(settings, event(1, type="identify")).body == b'{"id":"msg-000001"}'
    assert sent(settings, event(1, event="A")).body == b'{"events":[{"id":"msg-000001"}]}'


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"url": None}, "there is no url"),
        ({"url": "api.example/x"}, "write an address"),
        ({"url": "ftp://api.example/x"}, "write an address"),
        ({"url": "https://{{ userId }}.example/x"}, "placeholders may stand after the host"),
        ({"url": "https://api.example{{ userId }}"}, "placeholders may stand after the host"),
        ({"url": "https://api.example/a b"}, "write an address"),
        ({"url": "https://api.example/a/../b"}, "write an address"),
        ({"url": "https://api.example/{{ user }}"}, 'an event has no "user"'),
        ({"url": 7}, "write an address in quotes"),
        ({"body": "Hello {{ userId }}"}, "write a table, or one placeholder"),
        ({"body": 3}, "write a table, or one placeholder"),
        ({"body": {"a": "{{ userId | x }}"}}, 'a: {{ userId | x }}: there is no filter "x"'),
        ({"method": "GET", "body": BODY}, "GET sends no body; remove body"),
        ({"method": "DELETE", "dedup": "id"}, "DELETE sends no body; remove dedup"),
        ({"headers": {"Content-Length": "1"}}, '"Content-Length" cannot be set as a header'),
        ({"headers": {"X-A": "a\nb"}}, "holds characters that no header may"),
        ({"dedup_header": "not a header"}, '"not a header" cannot be a header'),
        ({"batch_as": "object"}, "say in batch_key under which key the events stand"),
        ({"batch_key": "events"}, 'batch_key and batch_with need batch_as = "object"'),
        (
            {"batch_as": "object", "batch_key": "events", "batch_with": {"events": 1}},
            'batch_with has the key "events" too',
        ),
        ({"batch_as": "object", "batch_key": "e", "batch_with": {"a": {1}}}, "write texts, numbers, lists and tables"),
        ({"auth": {}}, "write one of bearer, basic and query"),
        ({"auth": {"bearer": "a", "basic": {"username": "b"}}}, "write one of bearer, basic and query"),
        ({"auth": {"bearer": "a\r\nb"}}, "it holds characters that no header may"),
        ({"routes": [{"name": "a"}, {"name": "a"}]}, 'two routes are called "a"'),
        ({"url": None, "routes": [{"name": "a", "url": URL}, {"name": "b"}]}, 'route "b": there is no url'),
        ({"routes": [{"name": "a", "types": ["purchase"]}]}, "routes.0.types.0"),
        ({"answer": {"success": [409], "reject": [409]}}, "409 is named twice"),
        ({"answer": {"index": "i"}}, "index speaks of errors"),
        ({"answer": {"success_if": {"field": "ok"}}}, "asks nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_configuration_is_read(said: dict[str, Any], words: str):
    assert words in fault_of(**said)


def test_no_secret_is_shown_wherever_it_stands():
    settings = http(
        url="https://api.example/s3cret",
        headers={"X-Api-Key": "s3cret"},
        body={"token": "s3cret"},
        batch_as="object",
        batch_key="events",
        batch_with={"api_key": "s3cret"},
        auth={"query": {"name": "key", "value": "s3cret"}},
        routes=[{"name": "a", "url": "https://api.example/s3cret/a", "body": ["s3cret"]}],
    )

    assert "s3cret" not in repr(settings) + settings.model_dump_json()


def test_settings_that_say_the_same_are_equal_so_a_reload_leaves_their_worker_alone():
    first, second = http(body=BODY, routes=ROUTES), http(body=BODY, routes=ROUTES)
    payloads(first, order(1))

    assert first == second
    assert first != http(body={"id": "{{ userId }}"}, routes=ROUTES)


def test_numbers_keep_their_digits():
    (payload,) = payloads(http(body={"n": "{{ properties.n }}"}), event(1, event="A", properties={"n": 2**63}))

    assert orjson.loads(payload.body) == {"n": 2**63}
