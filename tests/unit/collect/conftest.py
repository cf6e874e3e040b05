"""Rules to judge events by, and a short way to digest a body."""

import itertools
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from gateway.collect.digest import Digest, digest
from gateway.collect.judge import Rules
from gateway.collect.refusals import Refusal

MAX_EVENT_BYTES = 512_000
MAX_BODY_BYTES = 16 * 2**20


@pytest.fixture
def rules() -> Rules:
    """Those of POST /v1/track, with ids that can be foretold."""
    numbers = itertools.count(1)
    return Rules("track", MAX_EVENT_BYTES, MAX_BODY_BYTES, lambda: f"generated-{next(numbers)}")


@pytest.fixture
def take(rules: Rules) -> Callable[..., Digest]:
    """Digests a body that is expected to be taken."""

    def take_body(body: bytes, encoding: str = "", rules: Rules = rules) -> Digest:
        result = digest(body, encoding, MAX_BODY_BYTES, rules)
        assert not isinstance(result, Refusal), result
        return result

    return take_body


@pytest.fixture
def stored(take: Callable[..., Digest]) -> Callable[..., dict[str, Any]]:
    """Digests a single event that is expected to be taken, and reads it as the next reader does."""

    def stored_event(body: bytes) -> dict[str, Any]:
        (raw,) = take(body).raws
        return orjson.loads(raw)

    return stored_event


@pytest.fixture
def refusal(rules: Rules) -> Callable[[bytes], str]:
    """Digests a body that is expected to be refused, alone or whole: the code."""

    def refused_code(body: bytes, encoding: str = "", rules: Rules = rules) -> str:
        result = digest(body, encoding, MAX_BODY_BYTES, rules)
        if isinstance(result, Refusal):
            return result.code
        assert not result.raws
        return result.rejections[0].refusal.code

    return refused_code
