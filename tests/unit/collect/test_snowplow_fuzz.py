"""Whatever is sent as Snowplow's, it has an answer, and what is stored of it keeps intake's promise."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.collect.dialects.snowplow import translate_body, translate_query
from gateway.collect.dialects.translation import read_dialect
from gateway.collect.digest import Digest
from gateway.collect.judge import Rules
from tests.unit.collect.test_fuzz import VALUES, assert_promise
from tests.unit.collect.test_snowplow import (
    CONTEXTS,
    ORDER,
    SESSION,
    UNSTRUCT,
    WEB_PAGE,
    contexts,
    in_base64,
    post,
    self_describing,
    unstruct,
)

RULES = Rules("", 100_000, 1_000_000, lambda: "generated")
KNOWN = """
    e eid uid duid tnuid nuid sid vid aid dtm stm ttm url page refr co cx ue_pr ue_px se_ac se_va pp_mix tr_tt ti_id
    lang tz res ua ip tv tna schema contexts snowplow type
"""
NUMBERS = ("0", "-1", "1e999", "1795574362544", "9" * 20, "1x1")
FIELDS = st.sampled_from(KNOWN.split())
DOCUMENTS = st.builds(self_describing, st.sampled_from([CONTEXTS, UNSTRUCT, ORDER]), VALUES)
ENTITIES = st.lists(st.tuples(st.sampled_from([WEB_PAGE, SESSION, ORDER]), VALUES), max_size=3)
TEXTS = st.one_of(
    st.sampled_from(["pv", "pp", "se", "ue", "tr", "ti", "https://[a", *NUMBERS]),
    st.builds(json.dumps, VALUES),
    DOCUMENTS,
    ENTITIES.map(lambda entities: contexts(*entities)),
    st.builds(unstruct, st.just(ORDER), VALUES),
)
ENCODED = st.builds(in_base64, TEXTS, is_padded=st.booleans())
PAYLOADS = st.dictionaries(FIELDS, TEXTS | ENCODED | VALUES, max_size=8)


def check(body: bytes) -> None:
    result = read_dialect(translate_body, {}, body, "", 1_000_000, RULES)
    if isinstance(result, Digest):
        for raw, message_id in zip(result.raws, result.message_ids, strict=True):
            assert_promise(raw, message_id)
    else:
        assert result.status == 400


@given(st.binary())
def test_arbitrary_bytes(body: bytes):
    check(body)


@given(VALUES)
def test_arbitrary_json(value: Any):
    check(json.dumps({"data": value}).encode())


@given(st.lists(PAYLOADS | VALUES, max_size=4))
@example([{"e": "pv", "uid": "\ud800", "url": "http://\ud800/?utm_source=%ff", "se_va": "1e999"}])
@example([{"e": "ue", "uid": "u", "ue_pr": unstruct("\ud800", {"\0": "\0"})}])
def test_arbitrary_payloads(payloads: list[Any]):
    check(post(*payloads))


@given(PAYLOADS)
def test_one_event_never_costs_another(payload: dict[str, Any]):
    good = {"e": "pv", "uid": "u", "eid": "good"}
    result = read_dialect(translate_body, {}, post(payload, good), "", 1_000_000, RULES)

    assert isinstance(result, Digest)
    assert "good" in result.message_ids


@given(st.dictionaries(FIELDS | st.text(), TEXTS | st.text(), max_size=8))
def test_arbitrary_queries(query: dict[str, str]):
    assert isinstance(read_dialect(translate_query, query, b"", "", 1_000_000, RULES), Digest)
