"""What is asked of an event, and what is stored of it when it is clean."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from gateway.collect.digest import Digest
from gateway.collect.judge import Rules

CLEAN = b'{"type":"track","messageId":"m1","userId":"u1","event":"Order Completed","properties":{"total":12.50}}'


def test_a_clean_event_is_stored_as_the_bytes_that_came(take: Callable[..., Digest]):
    spaced = b'{ "type" : "track",\t"messageId":"m1", "userId":"u1",\n "event":"E", "n": 1.00, "big": 1e999 }'

    assert take(CLEAN).raws == [CLEAN]
    assert take(spaced).raws == [spaced]
    assert take(b" \r\n" + CLEAN + b"\n").raws == [CLEAN]


def test_a_type_that_only_the_path_says_is_put_in_front(take: Callable[..., Digest]):
    assert take(b'{"messageId":"m1","userId":"u1","event":"E"}').raws == [
        b'{"type":"track","messageId":"m1","userId":"u1","event":"E"}'
    ]


def test_the_type_in_the_body_wins_over_the_path(stored: Callable[[bytes], dict[str, Any]]):
    assert stored(b'{"type":"page","messageId":"m1","userId":"u1"}')["type"] == "page"


@pytest.mark.parametrize("empty", [b'""', b"null"])
def test_an_empty_type_is_absent(stored: Callable[[bytes], dict[str, Any]], empty: bytes):
    event = stored(b'{"type":%b,"messageId":"m1","userId":"u1","event":"E"}' % empty)

    assert event["type"] == "track"


def test_a_missing_message_id_is_made_and_said_so(take: Callable[..., Digest]):
    result = take(b'{"userId":"u1","event":"E","properties":{"a":1}}')

    assert result.message_ids == ["generated-1"]
    made = b'"messageId":"generated-1","context":{"gateway":{"generated":["messageId"]}}'
    assert result.raws == [b'{"type":"track",' + made + b',"userId":"u1","event":"E","properties":{"a":1}}']


@pytest.mark.parametrize("given", [b"", b'"messageId":"",', b'"messageId":null,'])
@pytest.mark.parametrize("context", [b'{"locale":"de"}', b"{}", b"null"])
def test_a_made_message_id_leaves_the_context_as_it_was(
    stored: Callable[[bytes], dict[str, Any]], given: bytes, context: bytes
):
    event = stored(b'{"userId":"u1",%b"event":"E","context":%b}' % (given, context))

    assert event["messageId"] == "generated-1"
    assert event["context"] == {**(json.loads(context) or {}), "gateway": {"generated": ["messageId"]}}


@pytest.mark.parametrize("field", ["userId", "anonymousId", "groupId", "previousId"])
@pytest.mark.parametrize("empty", [b'""', b"null", b' ""'])
def test_an_empty_id_is_absent(stored: Callable[[bytes], dict[str, Any]], field: str, empty: bytes):
    others = b'"userId":"u1",' if field == "anonymousId" else b'"anonymousId":"a1",'
    event = stored(b'{"type":"page","messageId":"m1",%b"%b":%b}' % (others, field.encode(), empty))

    assert event.get(field) is None


def test_an_empty_id_inside_properties_is_the_owners_business(stored: Callable[[bytes], dict[str, Any]]):
    event = stored(
        b'{"type":"page","messageId":"m1","anonymousId":"a1","userId":"","properties":{"userId":"","groupId":""}}'
    )

    assert event["properties"] == {"userId": "", "groupId": ""}
    assert event.get("userId") is None


@pytest.mark.parametrize("field", ["messageId", "userId", "anonymousId", "groupId", "previousId", "event"])
@pytest.mark.parametrize("number", ["7", "1.50", "-3", "123456789012345678901234567890", "1e3"])
def test_a_number_becomes_the_string_it_was_written_as(
    stored: Callable[[bytes], dict[str, Any]], field: str, number: str
):
    fields = {"type": "track", "messageId": "m1", "userId": "u1", "event": "E"} | {field: "NUMBER"}
    body = json.dumps(fields).replace('"NUMBER"', number).encode()

    assert stored(body)[field] == number


@pytest.mark.parametrize("field", ["messageId", "userId", "anonymousId", "groupId", "previousId", "event", "writeKey"])
@pytest.mark.parametrize("value", [True, False, [], ["u"], {}, {"id": "u"}])
def test_what_is_no_id_is_refused(refusal: Callable[..., str], field: str, value: Any):
    fields = {"type": "track", "messageId": "m1", "userId": "u1", "event": "E"} | {field: value}

    assert refusal(json.dumps(fields).encode()) == "invalid_id"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"type": "track", "event": "E"}, "missing_user"),
        ({"type": "track", "event": "E", "userId": "", "anonymousId": None}, "missing_user"),
        ({"type": "track", "userId": "u"}, "missing_event_name"),
        ({"type": "track", "userId": "u", "event": ""}, "missing_event_name"),
        ({"type": "track", "userId": "u", "event": None}, "missing_event_name"),
        ({"type": "group", "userId": "u"}, "missing_group_id"),
        ({"type": "group", "userId": "u", "groupId": ""}, "missing_group_id"),
        ({"type": "alias", "userId": "u"}, "missing_alias_ids"),
        ({"type": "alias", "anonymousId": "a", "previousId": "p"}, "missing_alias_ids"),
        ({"type": "Track", "userId": "u"}, "invalid_type"),
        ({"type": "order", "userId": "u"}, "invalid_type"),
        ({"type": 5, "userId": "u"}, "invalid_type"),
        ({"type": ["track"], "userId": "u"}, "invalid_type"),
        ({"type": "page", "userId": "u" * 513}, "id_too_long"),
        ({"type": "page", "userId": "u", "anonymousId": "a" * 513}, "id_too_long"),
        ({"type": "page", "userId": "u", "messageId": "m" * 257}, "message_id_too_long"),
    ],
)
def test_an_event_that_lacks_something_is_refused_with_a_code(
    refusal: Callable[..., str], fields: dict[str, Any], code: str
):
    assert refusal(json.dumps(fields).encode()) == code


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "page", "userId": "u" * 512, "messageId": "m" * 256},
        {"type": "page", "anonymousId": "a"},
        {"type": "screen", "userId": "u"},
        {"type": "identify", "userId": "u", "traits": None, "context": None},
        {"type": "group", "anonymousId": "a", "groupId": "g"},
        {"type": "alias", "userId": "u", "previousId": "p"},
        {"type": "alias", "userId": "u", "previousId": "u"},
    ],
)
def test_what_the_spec_allows_is_taken(stored: Callable[[bytes], dict[str, Any]], fields: dict[str, Any]):
    event = stored(json.dumps({"messageId": "m1"} | fields).encode())

    assert event == {"messageId": "m1"} | fields


def test_without_a_type_in_path_or_body_an_event_is_refused(refusal: Callable[..., str], rules: Rules):
    assert refusal(b'{"userId":"u","messageId":"m"}', "", rules._replace(path_type="")) == "invalid_type"


@pytest.mark.parametrize("field", ["context", "properties", "traits", "integrations"])
@pytest.mark.parametrize("value", [5, "text", [1, 2], True])
def test_what_stands_where_an_object_belongs_is_set_aside_and_not_lost(
    stored: Callable[[bytes], dict[str, Any]], field: str, value: Any
):
    event = stored(json.dumps({"type": "page", "messageId": "m", "userId": "u", field: value}).encode())

    assert isinstance(event.get(field, {}), dict)
    assert event["context"]["gateway"] == {"setAside": {field: value}}


def test_traits_in_the_context_must_be_an_object_too(stored: Callable[[bytes], dict[str, Any]]):
    event = stored(b'{"type":"page","messageId":"m","userId":"u","context":{"traits":[1],"locale":"de"}}')

    assert event["context"] == {"locale": "de", "gateway": {"setAside": {"context.traits": [1]}}}


@pytest.mark.parametrize("key", ["messageId", "userId", "anonymousId", "type"])
def test_of_a_repeated_id_only_the_last_is_stored(take: Callable[..., Digest], key: str):
    fields = {"type": "page", "messageId": "m", "userId": "u", "anonymousId": "a"}
    last = "screen" if key == "type" else "last"
    body = json.dumps(fields)[:-1].encode() + b',"%b":"%b"}' % (key.encode(), last.encode())

    (raw,) = take(body).raws

    assert raw.count(b'"%b"' % key.encode()) == 1
    assert orjson.loads(raw)[key] == last


def test_a_repeated_id_that_ends_in_null_is_absent(refusal: Callable[..., str]):
    assert refusal(b'{"type":"page","messageId":"m","userId":"u","userId":null}') == "missing_user"


def test_a_key_hidden_behind_an_escape_is_found(take: Callable[..., Digest]):
    (raw,) = take(b'{"type":"page","messageId":"m","userId":"u","messag\\u0065Id":"other"}').raws

    assert raw.count(b'"messageId"') == 1
    assert orjson.loads(raw)["messageId"] == "other"


def test_keys_of_the_same_name_inside_containers_cost_nothing(take: Callable[..., Digest]):
    body = (
        b'{"type":"track","messageId":"m","userId":"u","event":"E","properties":{"type":"x","userId":"y"},'
        b'"context":{"messageId":"z","traits":{"anonymousId":"w"}}}'
    )

    assert take(body).raws == [body]


def test_an_event_may_be_as_large_as_the_limit_and_no_larger(
    take: Callable[..., Digest], refusal: Callable[..., str], rules: Rules
):
    body = b'{"type":"page","messageId":"m","userId":"u","properties":{"text":"%b"}}'
    room = rules.max_event_bytes - len(body) + len(b"%b")

    assert len(take(body % (b"x" * room)).raws[0]) == rules.max_event_bytes
    assert refusal(body % (b"x" * (room + 1))) == "event_too_large"


def test_an_event_above_the_nominal_limit_is_counted_as_oversize(take: Callable[..., Digest]):
    body = b'{"type":"page","messageId":"m","userId":"u","properties":{"text":"%b"}}'

    assert take(body % (b"x" * 33_000)).oversize == 1
    assert take(body % b"x").oversize == 0


@pytest.mark.parametrize("opening", [b"[", b'{"k":'])
def test_nesting_is_taken_to_the_limit_and_no_deeper(
    take: Callable[..., Digest], refusal: Callable[..., str], opening: bytes
):
    closing = b"]" if opening == b"[" else b"}"
    core = b"1" if opening != b"[" else b""

    def nested(depth: int) -> bytes:
        value = opening * depth + core + closing * depth
        return b'{"type":"page","messageId":"m","userId":"u","deep":%b}' % value

    assert take(nested(63)).raws == [nested(63)]
    assert refusal(nested(64)) == "too_deep"
    assert refusal(nested(5_000)) == "too_deep"


def test_brackets_in_strings_and_beside_each_other_are_not_depth(take: Callable[..., Digest]):
    wide = b",".join([b'{"a":[]}'] * 200)
    body = b'{"type":"page","messageId":"m","userId":"u","text":"%b\\"%b","wide":[%b]}' % (b"[" * 99, b"{" * 99, wide)

    assert take(body).raws == [body]
