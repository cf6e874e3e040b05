"""Moments as operators write them."""

from datetime import UTC, datetime

import pytest

from gateway.admin.answers import RequestError
from gateway.admin.times import parse_moment_ms

NOW_MS = round(datetime(2026, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("text", "hours_ago"),
    [
        ("now", 0),
        ("2h ago", 2),
        ("90m ago", 1.5),
        (" 1 d  AGO ", 24),
        ("2026-05-01T08:00:00Z", 4),
        ("2026-05-01T10:00:00+02:00", 4),
        ("2026-05-01 08:00", 4),
        ("2026-05-01", 12),
        ("1777622400000", 4),
    ],
)
def test_ages_and_iso_times_are_read(text: str, hours_ago: float):
    assert parse_moment_ms(text, NOW_MS) == NOW_MS - hours_ago * HOUR_MS


@pytest.mark.parametrize("text", ["", "yesterday", "2 hours", "ago", "5 parsecs ago", "2026-13-01"])
def test_anything_else_is_refused_with_an_example(text: str):
    with pytest.raises(RequestError, match=r"2h ago|30s"):
        parse_moment_ms(text, NOW_MS)
