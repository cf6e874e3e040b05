"""A chunk's body gives back what went in, or says that it is damaged."""

import random
import zlib

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.envelope import Envelope
from gateway.queue.codec import DamagedChunkError, decode, encode, new_compressor, verify

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
sent_ats = st.none() | texts | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
cookies = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
envelopes = st.builds(Envelope, texts, st.integers(0, 2**48), sent_ats, texts, texts, cookies, st.booleans())
requests = st.lists(st.tuples(envelopes, st.lists(st.binary(max_size=40), min_size=1, max_size=5)), min_size=1)


@given(requests, st.integers(0, 2**50))
def test_events_and_envelopes_come_back(requests: list[tuple[Envelope, list[bytes]]], first_offset: int):
    raws = [raw for _, part in requests for raw in part]

    written, body = encode(
        new_compressor(), first_offset, [env for env, _ in requests], [len(part) for _, part in requests], raws
    )
    read = decode(first_offset, body)

    for batch in (written, read):
        assert [stored.offset for stored in batch] == list(range(first_offset, first_offset + len(raws)))
        assert [stored.raw for stored in batch] == raws
        assert [stored.envelope for stored in batch] == [env for env, part in requests for _ in part]
        assert batch.blob[: batch.bounds[-1]] == b"".join(raws)


def chunk() -> bytes:
    raws = [b'{"n":%d}' % number for number in range(50)]
    return encode(new_compressor(), 7, [Envelope("web", 1)], [50], raws)[1]


def test_one_changed_bit_anywhere_is_noticed():
    body = chunk()
    rng = random.Random(3)
    for _ in range(300):
        at, bit = rng.randrange(len(body)), 1 << rng.randrange(8)
        altered = body[:at] + bytes([body[at] ^ bit]) + body[at + 1 :]
        with pytest.raises(DamagedChunkError, match="offset 7"):
            decode(7, altered)
        with pytest.raises(DamagedChunkError, match="offset 7"):
            verify(7, altered)


def test_a_body_cut_short_is_noticed():
    body = chunk()
    for length in range(len(body)):
        with pytest.raises(DamagedChunkError, match="offset 7"):
            decode(7, body[:length])


def test_a_whole_frame_of_another_kind_is_refused():
    frame = zstandard.compress(b"x" * 100)
    with pytest.raises(DamagedChunkError, match="offset 7"):
        decode(7, frame + zlib.crc32(frame).to_bytes(4, "little"))


@pytest.mark.parametrize("written", [["web", 5], ["web", 5, None, "", ""], ["web", 5, None, "", "", []]])
def test_an_envelope_of_an_older_version_gets_the_defaults(written: list[object]):
    raws = [b"{}"]
    lengths = b"\x02\0\0\0"
    requests = msgspec.msgpack.encode([[written], [1]])
    trailer = (1).to_bytes(4, "little") + len(requests).to_bytes(4, "little") + b"HWC1"
    frame = zstandard.compress(raws[0] + lengths + requests + trailer)
    body = frame + zlib.crc32(frame).to_bytes(4, "little")

    assert decode(0, body).envelope(0) == Envelope("web", 5)


@pytest.mark.parametrize(
    ("hostile", "stored"),
    [
        (Envelope("web", 1, 10**400), Envelope("web", 1, None)),
        (Envelope("web", 1, "\ud800"), Envelope("web", 1, "?")),
        (Envelope("web", 1, None, "", "Agent \udc80"), Envelope("web", 1, None, "", "Agent ?")),
        (
            Envelope("web", 1, cookies=(("a", "\ud800"),), is_refused=True),
            Envelope("web", 1, cookies=(("a", "?"),), is_refused=True),
        ),
    ],
)
def test_an_envelope_that_cannot_be_written_does_not_keep_the_others_out(hostile: Envelope, stored: Envelope):
    fine = Envelope("web", 2, "2026-11-25T00:00:00Z")

    written, body = encode(new_compressor(), 0, [hostile, fine], [1, 1], [b"{}", b"[]"])

    assert list(written.envelopes) == list(decode(0, body).envelopes) == [stored, fine]
