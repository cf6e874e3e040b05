"""Whatever a client sends, it is refused with an answer, or what is stored of it keeps intake's promise."""

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.collect.digest import digest
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal

RULES = Rules("track", 100_000, 1_000_000, lambda: "generated")
KINDS = {"track", "page", "screen", "identify", "group", "alias"}
IDS = ("userId", "anonymousId", "groupId", "previousId")
CONTAINERS = ("context", "properties", "traits", "integrations")


def refuse_constant(name: str) -> Any:
    raise AssertionError(name)


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def assert_promise(raw: bytes, message_id: str) -> None:
    """What everything downstream relies on (see gateway/collect/normalise.py)."""
    text = raw.decode()
    pairs: list[list[tuple[str, Any]]] = []

    def remember(items: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs.append(items)
        return dict(items)

    event = json.loads(text, parse_constant=refuse_constant, parse_int=str, parse_float=str, object_pairs_hook=remember)
    keys = [key for key, _ in pairs[-1]]
    assert event["messageId"] == message_id != ""
    assert event["type"] in KINDS
    for key in ("messageId", "type", *IDS):
        assert keys.count(key) <= 1
    for key in IDS:
        assert event.get(key) is None or (isinstance(event[key], str) and 0 < len(event[key]) <= 512)
    assert event.get("userId") or event.get("anonymousId")
    for key in CONTAINERS:
        assert isinstance(event.get(key), dict | None)
    assert isinstance((event.get("context") or {}).get("traits"), dict | None)
    assert depth_of(event) <= 64
    assert "\0" not in json.dumps(event, ensure_ascii=False)
    json.dumps(event, ensure_ascii=False).encode()
    assert re.search(rb"(?<!\\)(?:\\\\)*\\u0000", raw) is None


def check(body: bytes, encoding: str = "") -> None:
    result = digest(body, encoding, 1_000_000, RULES)
    if isinstance(result, Refusal):
        assert result.status in {400, 401}
        return
    assert len(result.raws) == len(result.message_ids)
    for raw, message_id in zip(result.raws, result.message_ids, strict=True):
        assert_promise(raw, message_id)


TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(["", "\0", "\ud800", "a\0", "\N{GRINNING FACE}"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4))
KEYS = st.sampled_from(["type", "messageId", "event", "writeKey", "sentAt", "batch", *IDS, *CONTAINERS]) | TEXT
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(sorted(KINDS)) | VALUES,
        "messageId": st.text(min_size=1, max_size=8) | VALUES,
        "userId": st.text(min_size=1, max_size=8) | VALUES,
        "anonymousId": st.just("a") | VALUES,
        "groupId": st.just("g") | VALUES,
        "previousId": st.just("p") | VALUES,
        "event": st.just("E") | VALUES,
        "context": st.dictionaries(KEYS, VALUES, max_size=4) | VALUES,
        "properties": st.dictionaries(KEYS, VALUES, max_size=4) | VALUES,
        "traits": VALUES,
        "integrations": VALUES,
    },
)
BATCHES = st.fixed_dictionaries(
    {"batch": st.lists(EVENTS | VALUES, max_size=5)},
    optional={"context": VALUES, "integrations": VALUES, "sentAt": VALUES, "writeKey": VALUES},
)


@st.composite
def serialised(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """A value as JSON, written by one of several hands."""
    value = draw(values)
    ascii_only, compact = draw(st.booleans()), draw(st.booleans())
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(",", ":") if compact else None)
    return text.encode(errors="surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Valid JSON with a few bytes changed, taken out, doubled or put in."""
    body = bytearray(draw(serialised(EVENTS | BATCHES)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 8))
        piece = bytes(body[place : place + length]) * 2
        body[place : place + length] = draw(
            st.sampled_from([b"", piece, b'"', b"\\u0000", b"\\", b",", b"{", b"]", b"\xff"])
        )
    return bytes(body)


@given(st.binary())
@example(b"\x1f\x8b")
def test_arbitrary_bytes(body: bytes):
    check(body)
    check(body, "deflate")


@given(serialised(VALUES))
def test_arbitrary_json(body: bytes):
    check(body)


@given(serialised(EVENTS))
@example(b'{"type":"page","userId":"u","messageId":"m","messageId":"n"}')
@example(b'{"type":"page","userId":"u","messageId":"m","userId":""}')
@example(b'{"type":"page","userId":"u","messageId":"m","properties":5,"properties":{}}')
def test_arbitrary_events(body: bytes):
    check(body)


@given(serialised(BATCHES))
def test_arbitrary_batches(body: bytes):
    check(body)


@given(mutated())
def test_broken_events_and_batches(body: bytes):
    check(body)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=12))
def test_events_with_repeated_keys(items: list[tuple[str, Any]]):
    more = "".join(f",{json.dumps(key)}:{json.dumps(value)}" for key, value in items)
    check(b'{"type":"page","messageId":"m","userId":"u"%b}' % more.encode())


@given(EVENTS)
def test_what_is_not_an_id_or_a_mark_is_kept(event: dict[str, Any]):
    try:
        body = orjson.dumps(event)
    except orjson.JSONEncodeError:
        return
    result = digest(body, "", 1_000_000, RULES)
    if isinstance(result, Refusal) or not result.raws or result.repaired:
        return
    stored = json.loads(result.raws[0])
    properties = event.get("properties")
    if isinstance(properties, dict):
        assert stored["properties"] == json.loads(body)["properties"]


def test_the_check_itself_can_fail():
    with pytest.raises(AssertionError):
        assert_promise(b'{"type":"page","messageId":"m","messageId":"m","userId":"u"}', "m")
    with pytest.raises(AssertionError):
        assert_promise(b'{"type":"page","messageId":"m","userId":"u","x":NaN}', "m")
    with pytest.raises(AssertionError):
        assert_promise(b'{"type":"page","messageId":"m","userId":"u","x":"\\u0000"}', "m")
    with pytest.raises(UnicodeEncodeError):
        assert_promise(b'{"type":"page","messageId":"m","userId":"u","x":"\\ud800"}', "m")
