"""Whatever is sent to PostHog's paths has an answer."""

import base64
import json
from functools import partial
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.collect.dialects.posthog import discard, translate
from gateway.collect.dialects.posthog_shared import is_posthogs
from gateway.collect.dialects.translation import read_dialect
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal

RECEIVED_AT_MS = 1_795_574_592_000
RULES = Rules("", 100_000, 1_000_000, lambda: "generated")

TEXT = st.text(st.characters(exclude_categories=()))
OURS = st.sampled_from(
    ["event", "uuid", "distinct_id", "properties", "timestamp", "offset", "sent_at", "batch", "api_key"]
)
THEIRS = st.sampled_from(["token", "alias", "title", "$set", "$device_id", "$current_url", "$group_key", "$group_type"])
NAMES = OURS | THEIRS
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXT, inner, max_size=6)
)
EVENTS = st.fixed_dictionaries(
    {
        "event": st.sampled_from(["$pageview", "$identify", "$set", "$groupidentify", "$create_alias", "$screen"])
        | VALUES
    },
    optional={
        "uuid": VALUES,
        "distinct_id": VALUES,
        "timestamp": VALUES,
        "offset": VALUES,
        "$set": VALUES,
        "properties": st.dictionaries(NAMES | TEXT, VALUES, max_size=6) | VALUES,
    },
)


def check(body: bytes, query: dict[str, str]) -> None:
    for read in (translate, discard):
        result = read_dialect(partial(read, RECEIVED_AT_MS), query, body, "", 1_000_000, RULES)
        if isinstance(result, Refusal):
            assert result.status == 400
        else:
            assert [orjson.loads(raw)["messageId"] for raw in result.raws] == result.message_ids


@given(st.binary(), st.dictionaries(st.sampled_from(["data", "_", "token"]), TEXT))
@example(b"", {"data": "\ud800"})
@example(b"data=\xff", {"_": "\u0661"})
def test_any_bytes_have_an_answer(body: bytes, query: dict[str, str]):
    check(body, query)
    is_posthogs(body)


@given(VALUES | st.lists(EVENTS, max_size=3) | st.fixed_dictionaries({"batch": st.lists(EVENTS | VALUES, max_size=3)}))
def test_any_json_has_an_answer_and_comes_out_fit_to_be_written(value: Any):
    body = json.dumps(value).encode()
    check(body, {})
    check(b"data=" + base64.b64encode(body), {})
    is_posthogs(body)
