"""Whatever is sent to GA4's paths has an answer."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.collect.dialects.ga4 import DEBUG, GTAG, PROTOCOL
from gateway.collect.dialects.translation import read_dialect
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal

KEYS = {"measurement_id": "G-1", "api_secret": "secret"}
RULES = Rules("", 100_000, 1_000_000, lambda: "generated")

TEXT = st.text(st.characters(exclude_categories=()))
NAMES = st.sampled_from(["name", "params", "events", "client_id", "user_properties", "consent", "device", "value"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=5)
)
EVENTS = st.fixed_dictionaries(
    {"name": st.sampled_from(["page_view", "screen_view", "campaign_details"]) | VALUES},
    optional={
        "params": st.dictionaries(st.sampled_from(["page_location", "session_id", "source"]) | TEXT, VALUES) | VALUES,
        "timestamp_micros": st.integers() | VALUES,
    },
)
PAYLOADS = st.fixed_dictionaries(
    {"events": st.lists(EVENTS | VALUES, max_size=3)},
    optional={
        "client_id": st.just("c") | VALUES,
        "user_properties": VALUES,
        "device": VALUES,
        "consent": VALUES,
        "timestamp_micros": VALUES,
    },
)
FIELDS = st.sampled_from(
    ["en", "cid", "uid", "dl", "sr", "_s", "ep.x", "epn.x", "up.x", "pr1", "gcs", "gcd", "cu", "_et"]
)


def check(translate: Callable[..., Any], body: bytes, query: dict[str, str]) -> None:
    result = read_dialect(translate, query, body, "", 1_000_000, RULES)
    if isinstance(result, Refusal):
        assert result.status == 400
    else:
        assert [orjson.loads(raw)["messageId"] for raw in result.raws] == result.message_ids


@given(st.binary(), st.dictionaries(FIELDS | TEXT, TEXT))
@example(b"", {"en": "\ud800", "cid": "c", "_s": "\ud800"})
@example(b"\xff=\xff\n\x00", {"dl": "http://[", "pr1": "~~~", "epn.x": "\u0661"})
def test_any_bytes_have_an_answer(body: bytes, query: dict[str, str]):
    for dialect in (PROTOCOL, DEBUG, GTAG):
        check(dialect.translate, body, query)


@given(PAYLOADS | VALUES)
def test_any_json_has_an_answer_and_comes_out_fit_to_be_written(payload: Any):
    for dialect in (PROTOCOL, DEBUG):
        check(dialect.translate, json.dumps(payload).encode(), KEYS)


@given(st.lists(st.dictionaries(FIELDS, st.text(max_size=20)), max_size=3))
def test_any_lines_have_an_answer(lines: list[dict[str, str]]):
    check(GTAG.translate, "\n".join(map(urlencode, lines)).encode(), {"tid": "G-1", "cid": "c"})
