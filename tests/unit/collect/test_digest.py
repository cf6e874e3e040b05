"""Bodies: single events, batches, and what a batch says for all of its events."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.collect.digest import Digest

PAGE = b'{"type":"page","messageId":"%d","userId":"u"}'


def page(number: int) -> bytes:
    return PAGE % number


def test_a_batch_keeps_every_event_as_it_came(take: Callable[..., Digest]):
    result = take(b'{"batch":[ %b ,\n%b],"sentAt":"2026-11-25T02:32:10.889Z"}' % (page(1), page(2)))

    assert result.raws == [page(1), page(2)]
    assert result.message_ids == ["1", "2"]
    assert result.sent_at == "2026-11-25T02:32:10.889Z"
    assert result.is_batch


def test_an_array_at_the_top_is_a_batch(take: Callable[..., Digest]):
    assert take(b"[%b,%b]" % (page(1), page(2))).raws == [page(1), page(2)]
    assert take(b"\xef\xbb\xbf[%b]" % page(1)).is_batch


@pytest.mark.parametrize("body", [b"[]", b'{"batch":[]}', b'{"batch":[],"writeKey":NaN}'])
def test_an_empty_batch_is_fine(take: Callable[..., Digest], body: bytes):
    result = take(body)

    assert result.is_batch
    assert result.raws == result.rejections == []


@pytest.mark.parametrize("value", [b"null", b"5", b"{}", b'"text"'])
def test_a_batch_that_is_no_array_is_refused(refusal: Callable[..., str], value: bytes):
    assert refusal(b'{"batch":%b}' % value) == "invalid_batch"


def test_one_bad_event_does_not_sink_the_others(take: Callable[..., Digest]):
    result = take(b'{"batch":[%b,5,{"type":"page"},%b,{"type":"order","userId":"u"}]}' % (page(1), page(2)))

    assert result.raws == [page(1), page(2)]
    assert [(each.position, each.refusal.code) for each in result.rejections] == [
        (1, "not_an_object"),
        (2, "missing_user"),
        (4, "invalid_type"),
    ]
    assert result.rejections[1].body == b'{"type":"page"}'


def test_one_odd_event_leaves_the_others_untouched(take: Callable[..., Digest]):
    odd = b'{"type":"page","messageId":"3","userId":"a\\u0000"}'
    result = take(b"[%b,%b,%b]" % (page(1), odd, page(2)))

    assert [result.raws[0], result.raws[2]] == [page(1), page(2)]
    assert json.loads(result.raws[1])["userId"] == "a"
    assert result.repaired == 1


def test_a_batch_that_only_a_lenient_reader_takes_keeps_its_good_events(take: Callable[..., Digest]):
    result = take(b'{"batch":[%b,{"type":"page","userId":"u","messageId":"2","n":NaN},7]}' % page(1))

    assert result.message_ids == ["1", "2"]
    assert [each.position for each in result.rejections] == [2]


def test_what_a_batch_says_for_all_is_given_to_each_event(take: Callable[..., Digest]):
    result = take(
        b'{"batch":[%b,{"type":"page","messageId":"2","userId":"u","context":{"ip":"2.2.2.2"}}],'
        b'"context":{"ip":"1.1.1.1","locale":"de"},"integrations":{"All":false}}' % page(1)
    )

    first, second = (json.loads(raw) for raw in result.raws)
    assert first["context"] == {"ip": "1.1.1.1", "locale": "de"}
    assert second["context"] == {"ip": "2.2.2.2", "locale": "de"}
    assert first["integrations"] == second["integrations"] == {"All": False}


def test_what_a_batch_says_is_repaired_once_for_all(take: Callable[..., Digest]):
    result = take(b'{"batch":[%b],"context":{"a":"x\\u0000y","b":"\xff"}}' % page(1))

    assert json.loads(result.raws[0])["context"] == {"a": "xy", "b": "\ufffd"}


@pytest.mark.parametrize("shared", [b"{}", b"null", b"5", b"[1]"])
def test_an_empty_or_senseless_context_of_a_batch_changes_nothing(take: Callable[..., Digest], shared: bytes):
    assert take(b'{"batch":[%b],"context":%b}' % (page(1), shared)).message_ids == ["1"]
    assert b"context" not in take(b'{"batch":[%b],"context":%b}' % (page(1), shared)).raws[0]


def test_a_large_context_cannot_be_multiplied_by_many_events(refusal: Callable[..., str], take: Callable[..., Digest]):
    large = b'{"text":"%b"}' % (b"x" * 40_000)
    medium = b'{"text":"%b"}' % (b"x" * 30_000)
    many = b",".join(page(number) for number in range(1_000))

    assert refusal(b'{"batch":[%b],"context":%b}' % (page(1), large)) == "shared_too_large"
    result = take(b'{"batch":[%b],"context":%b}' % (many, medium))
    assert sum(map(len, result.raws)) < 16 * 2**20
    assert {each.refusal.code for each in result.rejections} == {"shared_too_large"}


def test_a_deep_context_cannot_push_an_event_below_the_limit(refusal: Callable[..., str]):
    deep = b'{"a":' * 64 + b"1" + b"}" * 64

    assert refusal(b'{"batch":[%b],"context":%b}' % (page(1), deep)) == "shared_too_large"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"writeKey":"k","type":"page","messageId":"m","userId":"u"}', "k"),
        (b'{"writeKey":"top","batch":[{"writeKey":"inner","type":"page","messageId":"m","userId":"u"}]}', "top"),
        (b'{"batch":[{"writeKey":"inner","type":"page","messageId":"m","userId":"u"}]}', "inner"),
        (b'[{"writeKey":"inner","type":"page","messageId":"m","userId":"u","n":NaN}]', "inner"),
        (b'{"writeKey":12,"type":"page","messageId":"m","userId":"u"}', "12"),
        (b'{"type":"page","messageId":"m","userId":"u"}', ""),
    ],
)
def test_the_write_key_is_found_where_clients_put_it(take: Callable[..., Digest], body: bytes, key: str):
    assert take(body).write_key == key


@pytest.mark.parametrize(
    ("sent_at", "kept"),
    [
        (b'"2026-11-25T02:32:10Z"', "2026-11-25T02:32:10Z"),
        (b"1795573930889", 1795573930889),
        (b"null", None),
        (b"[]", None),
        (b'"%b"' % (b"x" * 65), None),
        (b"NaN", None),
        (b"99999999999999999999999999", None),
        (b"1e308", None),
    ],
)
def test_the_time_of_sending_is_kept_when_it_can_be_one(take: Callable[..., Digest], sent_at: bytes, kept: Any):
    assert take(b'{"batch":[%b],"sentAt":%b}' % (page(1), sent_at)).sent_at == kept


def test_a_single_event_keeps_its_own_time_of_sending(take: Callable[..., Digest]):
    body = b'{"type":"page","messageId":"m","userId":"u","sentAt":"2026-11-25T02:32:10Z"}'

    assert take(body).sent_at is None
    assert take(body).raws == [body]


def test_a_compressed_batch_is_the_batch(take: Callable[..., Digest]):
    body = b"[%b]" % page(1)

    assert take(gzip.compress(body)).raws == take(gzip.compress(body), "gzip").raws == [page(1)]
