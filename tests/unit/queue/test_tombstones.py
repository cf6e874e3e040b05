"""Chunks with tombstones: as many events as before, and in no more bytes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.envelope import Envelope
from gateway.queue.chunks import Body
from gateway.queue.codec import encode, new_compressor
from gateway.queue.tombstones import TOMBSTONE, erase_from, find_in

REQUESTS = st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=1, max_size=6)


def is_hers(raw: bytes, _envelope: Envelope) -> bool:
    return raw.startswith(b'{"hers"')


def chunk(requests: list[list[bool]], padding: int = 300) -> Body:
    envelopes = [Envelope("web", 5 + number, None, "192.0.2.7", "agent") for number in range(len(requests))]
    raws = [
        b'{"%s":"%d%s"}'
        % (b"hers" if hers else b"other", number, random.Random(number).randbytes(padding).hex().encode())
        for request in requests
        for number, hers in enumerate(request)
    ]
    batch, body = encode(new_compressor(), 40, envelopes, [len(each) for each in requests], raws)
    return Body(40, len(raws), 5 + len(requests), len(batch.blob), body)


@given(REQUESTS)
def test_each_event_that_belongs_is_a_tombstone_and_each_other_is_as_it_was(requests: list[list[bool]]):
    body = chunk(requests)
    hers = [each for request in requests for each in request]
    before = list(body.unpack())

    erasure = erase_from([body], is_hers)

    assert sum(erasure.events) == sum(hers) == len(find_in([body], is_hers))
    for changed in erasure.bodies:
        after = list(changed.unpack())
        assert [each.offset for each in after] == [each.offset for each in before]
        for old, new, is_gone in zip(before, after, hers, strict=True):
            assert new == (old if not is_gone else old._replace(raw=TOMBSTONE, envelope=new.envelope))
            assert new.envelope.is_tombstone is is_gone
            if is_gone:
                assert new.envelope == Envelope("", old.envelope.received_at_ms)
        assert len(changed.body) >= len(body.body)
        assert erase_from([changed], is_hers).bodies == [], "once more finds nothing"


@pytest.mark.parametrize(("padding", "grows"), [(0, True), (300, False)])
def test_a_chunk_only_grows_where_a_tombstone_is_the_longer_one(padding: int, grows: bool):
    body = chunk([[True]], padding)

    (changed,) = erase_from([body], is_hers).bodies

    assert (len(changed.body) > len(body.body)) is grows
    assert [each.raw for each in changed.unpack()] == [TOMBSTONE]
    assert [each.raw for each in changed.pack().unpack()] == [TOMBSTONE]


def test_a_damaged_chunk_is_named_and_left_alone():
    body = chunk([[True, False]])
    damaged = body._replace(body=body.body[:-9] + b"\0" * 9)

    assert erase_from([damaged], is_hers) == ([], [], [40])
    assert find_in([damaged], is_hers) == []
