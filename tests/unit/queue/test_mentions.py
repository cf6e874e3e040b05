"""A person is found in text that is no whole event, and not where a short identifier stands by chance."""

import gzip

import pytest

from gateway.model.person import USER_ID, Identifier, Known, Tenure
from gateway.queue import Mentions

ADA = Known("p", frozenset(["7", "jörg@shop.example"]), [Tenure("device-4711-ada", Identifier(USER_ID, "7"))])


@pytest.mark.parametrize(
    ("text", "is_mentioned"),
    [
        (b'{"anonymousId":"device-4711-ada"', True),
        (b"...DEVICE-4711-ADA...", True),
        (b'{"userId": "7", broken', True),
        (b'{"count": 7, "userId": "77"}', False),
        (b"userId=7&event=x", True),
        (b"userId=70&event=x", False),
        ('{"email":"jörg@shop.example"'.encode(), True),
        (b'{"email":"j\\u00f6rg@shop.example"', True),
        (b"email=j%C3%B6rg%40shop.example", True),
        (gzip.compress(b'{"anonymousId":"device-4711-ada"' + b"x" * 9000, mtime=0), True),
        (gzip.compress(b'{"anonymousId":"device-4711-ada"' + bytes(range(256)) * 9, mtime=0)[:200], True),
        (b"\x1f\x8b no gzip at all", False),
        (b"", False),
    ],
)
def test_a_mention_is_found_in_whatever_form(text: bytes, is_mentioned: bool):
    assert Mentions(ADA)(text) is is_mentioned
