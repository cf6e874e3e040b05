"""Compressed bodies: recognised by their bytes, bounded by their inflated size."""

import gzip
import zlib

import pytest

from gateway.collect.inflate import inflate
from gateway.collect.refusals import BODY_TOO_LARGE, CORRUPT_BODY, UNSUPPORTED_ENCODING

TEXT = b'{"type":"page"}' * 100
COMPRESSED = gzip.compress(TEXT, mtime=0)
LIMIT = 10_000


@pytest.mark.parametrize("encoding", ["gzip", "", "identity", "GZIP", "br", "deflate", "nonsense"])
def test_gzip_is_recognised_whatever_the_header_says(encoding: str):
    assert inflate(gzip.compress(TEXT), encoding, LIMIT) == TEXT


@pytest.mark.parametrize("encoding", ["", "gzip", "x-gzip", "identity", "deflate"])
def test_a_body_that_somebody_inflated_already_passes(encoding: str):
    assert inflate(TEXT, encoding, LIMIT) == TEXT


def test_deflate_comes_with_and_without_its_wrapper():
    raw = zlib.compressobj(wbits=-15)

    assert inflate(zlib.compress(TEXT), "deflate", LIMIT) == TEXT
    assert inflate(raw.compress(TEXT) + raw.flush(), "Deflate", LIMIT) == TEXT


def test_members_and_padding_of_a_gzip_file_are_read():
    assert inflate(gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 20, "gzip", LIMIT) == b"onetwo"


@pytest.mark.parametrize(
    "body",
    [
        COMPRESSED[:-9],
        COMPRESSED[:12],
        b"\x1f\x8b",
        COMPRESSED + b"junk",
        COMPRESSED[:-8] + b"\0" * 8,
    ],
)
def test_a_damaged_body_is_refused(body: bytes):
    assert inflate(body, "gzip", LIMIT) is CORRUPT_BODY


def test_damaged_deflate_is_refused():
    assert inflate(b"\x00garbage", "deflate", LIMIT) is CORRUPT_BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress"])
def test_what_cannot_be_inflated_is_refused(encoding: str):
    assert inflate(b"\x0b\x02\x80", encoding, LIMIT) is UNSUPPORTED_ENCODING


def test_the_limit_is_on_what_comes_out():
    exact = gzip.compress(b"x" * LIMIT)

    assert len(inflate(exact, "", LIMIT)) == LIMIT
    assert inflate(gzip.compress(b"x" * (LIMIT + 1)), "", LIMIT) is BODY_TOO_LARGE
    assert inflate(zlib.compress(b"x" * (LIMIT + 1)), "deflate", LIMIT) is BODY_TOO_LARGE
    assert inflate(gzip.compress(b"x" * LIMIT) + gzip.compress(b"y"), "", LIMIT) is BODY_TOO_LARGE


def test_a_bomb_of_many_members_is_not_unpacked_one_by_one():
    assert inflate(gzip.compress(b"") * 100_000, "", LIMIT) is CORRUPT_BODY
