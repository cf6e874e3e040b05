"""What is asked once for a whole batch is what would be asked of each event."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.digest import Digest, digest
from gateway.collect.judge import Rules
from gateway.collect.normalise import normalise
from gateway.collect.settle_batch import settle_batch

RULES = Rules("track", 2_000, 1_000_000, lambda: "generated", suspect=False)
PAGE = b'{"type":"page","messageId":"%d","userId":"u"}'

FIELDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "page", "group", "nothing"]), "messageId": st.sampled_from(["m", "", 7])},
    optional={
        "userId": st.sampled_from(["u", "", None, 5]),
        "anonymousId": st.sampled_from(["a", "", None]),
        "event": st.sampled_from(["E", ""]),
        "properties": st.dictionaries(
            st.sampled_from(["type", "userId", "orderId", "typical"]), st.sampled_from(["type", 1, [], [[[]]]])
        ),
        "text": st.text("x", max_size=30) | st.just("y" * 3_000),
    },
)


def deep(levels: int) -> bytes:
    return b'{"type":"page","messageId":"d","userId":"u","x":%b}' % (b"[" * levels + b"]" * levels)


@given(st.lists(FIELDS.map(lambda fields: json.dumps(fields).encode()) | st.just(b"5"), max_size=6))
def test_a_batch_is_judged_as_its_events_are(raws: list[bytes]):
    alone = [normalise(raw, RULES) for raw in raws]

    assert list(settle_batch(b'{"batch":[%b]}' % b",".join(raws), raws, RULES)) == alone
    assert list(settle_batch(b"[%b]" % b",".join(raws), raws, RULES)) == alone


@pytest.mark.parametrize("levels", [63, 64, 126, 127, 128, 255, 256, 257, 320, 600])
def test_no_depth_hides_among_shallow_events(take: Callable[..., Digest], levels: int):
    result = take(b"[%b,%b,%b]" % (PAGE % 1, deep(levels), PAGE % 2))

    assert len(result.raws) == (3 if levels <= 63 else 2)
    assert [each.refusal.code for each in result.rejections] == ([] if levels <= 63 else ["too_deep"])


@pytest.mark.parametrize("brackets", [100, 127, 128, 255, 256, 300])
def test_a_wide_event_among_others_is_taken(take: Callable[..., Digest], brackets: int):
    wide = b'{"type":"page","messageId":"w","userId":"u","x":[%b]}' % b",".join([b"{}"] * brackets)

    assert take(b"[%b,%b,%b]" % (wide, PAGE % 1, wide.replace(b'"w"', b'"v"'))).message_ids == ["w", "1", "v"]


@pytest.mark.parametrize("shift", range(4))
def test_a_repeated_type_is_found_at_every_alignment(shift: int):
    body = b'%b[{"type":"page","messageId":"1","userId":"u","type":"screen"},%b]' % (b" " * shift, PAGE % 2)
    result: Any = digest(body, "", 1_000_000, RULES)

    assert [json.loads(raw)["type"] for raw in result.raws] == ["screen", "page"]
    assert result.raws[0].count(b'"type"') == 1
